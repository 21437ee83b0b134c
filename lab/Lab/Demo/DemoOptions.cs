namespace Lab.Demo;

/// <param name="Namespaces">A network in namespaces (root) instead of relays on loopback.</param>
/// <param name="JsonFile">Where the events go, one JSON object a line; null: nowhere.</param>
/// <param name="Keep">Leaves the run folder (logs, keys, configuration) for people to look at.</param>
internal sealed record DemoOptions(bool Namespaces, string? JsonFile, bool Keep)
{
    public const string Usage = """
        usage: ./demo [--lab] [--json FILE] [--keep]
          Plays one whole outage on real ssh and sshd: the primary is cut, the VM starts, the tunnel is verified, the owner is told and
          logs in, the primary comes back, the VM stops.
          --lab        (root) in network namespaces: two uplinks, a router between, carrier-grade NAT; otherwise relays on loopback
          --json FILE  the events, one JSON object a line, as they happen
          --keep       leave the run's folder (logs, configuration) behind
        exit status: 0 every step was verified, 1 a step failed, 2 bad usage or something is missing
        """;

    /// <summary>Null when the words make no sense; <paramref name="problem"/> then says why.</summary>
    public static DemoOptions? Parse(IReadOnlyList<string> words, out string? problem)
    {
        var options = new DemoOptions(false, null, false);
        problem = null;
        for (var i = 0; i < words.Count; i++)
        {
            switch (words[i])
            {
                case "--lab":
                    options = options with { Namespaces = true };
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

        return options;
    }
}
