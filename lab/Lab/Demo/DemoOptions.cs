namespace Lab.Demo;

/// <param name="Wiring">A network in namespaces (root) with this wiring, A, B or C; null: relays on loopback.</param>
/// <param name="FallsOver">Wiring B or C: the router sends the primary's traffic by the backup by itself.</param>
/// <param name="JsonFile">Where the events go, one JSON object a line; null: nowhere.</param>
/// <param name="Keep">Leaves the run folder (logs, keys, configuration) for people to look at.</param>
internal sealed record DemoOptions(char? Wiring, bool FallsOver, string? JsonFile, bool Keep)
{
    /// <summary>Wiring A: what the backup's carrier gives.</summary>
    public BackupFamily Backup { get; init; }

    /// <summary>The provider is an EC2 of somebody else's: moto.</summary>
    public bool OnEc2 { get; init; }

    public const string Usage = """
        usage: ./demo [--cloud=ec2 | --lab[=A|B|C] [--failover | --v6-only[=nat64]]] [--json FILE] [--keep]
          Plays one whole outage on real ssh and sshd: the primary is cut, the VM starts, the tunnel is verified, the owner is told and
          logs in, the primary comes back, the VM stops.
          --cloud=ec2  the provider is moto_server (5.x, on PATH), an EC2 that checks each signature and the daemon's own policy
          --lab        (root) in network namespaces, with two providers and carrier-grade NAT; otherwise relays on loopback
                         A  an interface for each uplink (the default)
                         B  one wire behind a router, which sends each of two source addresses by one uplink
                         C  the host is routed by the backup only; its router, a box on the LAN and the outside tell of the primary
          --failover   (B, C) the router sends the primary's traffic by the backup within 2 s of its death, as dual-WAN routers do:
                       everything still answers, and the primary is down all the same
          --v6-only    (A) the backup has IPv6 only; witnesses, SMS gateway and VM have both families
                       =nat64: they have IPv4 only, and the carrier translates (needs tayga)
          --json FILE  the events, one JSON object a line, as they happen
          --keep       leave the run's folder (logs, configuration) behind
        exit status: 0 every step was verified, 1 a step failed, 2 bad usage or something is missing
        """;

    /// <summary>Null when the words make no sense; <paramref name="problem"/> then says why.</summary>
    public static DemoOptions? Parse(IReadOnlyList<string> words, out string? problem)
    {
        var options = new DemoOptions(null, false, null, false);
        problem = null;
        for (var i = 0; i < words.Count; i++)
        {
            switch (words[i])
            {
                case "--lab" or "--lab=A" or "--lab=B" or "--lab=C":
                    options = options with { Wiring = words[i] == "--lab" ? 'A' : words[i][^1] };
                    break;
                case "--failover":
                    options = options with { FallsOver = true };
                    break;
                case "--v6-only" or "--v6-only=nat64":
                    options = options with { Backup = words[i] == "--v6-only" ? BackupFamily.V6 : BackupFamily.V6WithNat64 };
                    break;
                case "--cloud=ec2":
                    options = options with { OnEc2 = true };
                    break;
                case "--keep":
                    options = options with { Keep = true };
                    break;
                case "--json" when i + 1 < words.Count:
                    options = options with { JsonFile = Path.GetFullPath(words[++i]) };
                    break;
                case "--json":
                    problem = "--json needs a file";
                    return null;
                default:
                    problem = $"{words[i]}?";
                    return null;
            }
        }

        if (options is { OnEc2: true, Wiring: not null })
        {
            problem = "--cloud=ec2 plays on loopback: leave --lab out";
            return null;
        }

        if (options is { FallsOver: true, Wiring: not ('B' or 'C') })
        {
            problem = "--failover needs a router: --lab=B or --lab=C";
            return null;
        }

        if (options.Backup != BackupFamily.V4 && options.Wiring != 'A')
        {
            problem = "--v6-only needs a backup with an interface of its own: --lab=A";
            return null;
        }

        return options;
    }
}
