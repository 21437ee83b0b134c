using System.Collections.Immutable;
using System.Net;
using Common;

namespace InternalHost.Configuration;

/// <summary>What stands where the owner wrote nothing.</summary>
[PureCore]
internal static class SiteDefaults
{
    public const string StateDirectory = "/var/lib/internalhost";
    public const string RuntimeDirectory = "/run/internalhost";
    public const string SecretsDirectory = "/etc/internalhost/secrets";
    public const string KeyFile = "/etc/internalhost/keys/bastion";
    public const string TwilioAddress = "https://api.twilio.com";
    public const long RecordBytes = 16_000_000;
    public const int FirstForwardPort = 22_001;
    public const int AgentPort = 49_020;
    public const string SyncUser = "bastion-sync";

    public static readonly ImmutableArray<int> BastionPorts = [49_022, 443];

    /// <summary>All x86, as the bastion's package; half a gigabyte is enough for it.</summary>
    public static readonly ImmutableArray<string> Ec2Sizes = ["t3.nano", "t3a.nano", "t3.micro"];

    public static readonly ImmutableArray<string> DropletSizes = ["s-1vcpu-512mb-10gb", "s-1vcpu-1gb"];

    public static readonly TimeSpan DeadMan = TimeSpan.FromMinutes(20);

    public static readonly TimeSpan RecoverAfter = TimeSpan.FromSeconds(20);
    public static readonly TimeSpan TellAfter = TimeSpan.FromSeconds(60);
    public static readonly TimeSpan StopAfter = TimeSpan.FromMinutes(10);

    /// <summary>Balanced is 7.8 s rather than 8: counted from the send time, with a probe a second, p99 then stays below 8.5 s.</summary>
    public static TimeSpan ConfirmAfter(OutagePreset preset) => preset switch
    {
        OutagePreset.Fast => TimeSpan.FromSeconds(5),
        OutagePreset.Satellite => TimeSpan.FromSeconds(15),
        _ => TimeSpan.FromSeconds(7.8),
    };

    // Three operators; no operator holds both DNS places or both TLS places, so that one dying never looks like an outage.
    public static readonly ImmutableArray<IPEndPoint> DnsA = Endpoints("9.9.9.9:53", "[2620:fe::fe]:53");
    public static readonly ImmutableArray<IPEndPoint> DnsB = Endpoints("8.8.8.8:53", "[2001:4860:4860::8888]:53");

    public static readonly TlsWitness TlsA = new("one.one.one.one", Endpoints("1.1.1.1:443", "1.0.0.1:443", "[2606:4700:4700::1111]:443", "[2606:4700:4700::1001]:443"));
    public static readonly TlsWitness TlsB = new("dns.google", Endpoints("8.8.4.4:443", "8.8.8.8:443", "[2001:4860:4860::8844]:443", "[2001:4860:4860::8888]:443"));

    public static readonly ImmutableArray<IPEndPoint> Resolvers =
        Endpoints("9.9.9.9:53", "1.1.1.1:53", "8.8.8.8:53", "[2620:fe::fe]:53", "[2606:4700:4700::1111]:53");

    /// <summary>By address, because names may not resolve yet: Cloudflare, Google, NIST.</summary>
    public static readonly ImmutableArray<IPEndPoint> TimeServers =
        Endpoints("162.159.200.1:123", "216.239.35.0:123", "129.6.15.28:123", "[2606:4700:f1::1]:123", "[2001:4860:4806::]:123");

    public static readonly Uri Http = new("http://connectivitycheck.gstatic.com/generate_204");

    /// <summary>Two operators. By name: their addresses move, and both families are behind one name.</summary>
    public static readonly ImmutableArray<DnsEndPoint> Stun = [new("stun.cloudflare.com", 3478), new("stun.l.google.com", 19302)];

    public static readonly ImmutableArray<WhoAmI> WhoAmI =
    [
        new("myip.opendns.com", Text: false, new DnsEndPoint("resolver1.opendns.com", 53)),
        new("o-o.myaddr.l.google.com", Text: true, new DnsEndPoint("ns1.google.com", 53)),
    ];

    /// <summary>Reserved for documentation (RFC 2606), answered by anybody's resolver, nobody's customers suffer from a random label below it.</summary>
    public const string ProbeName = "example.com";

    private static ImmutableArray<IPEndPoint> Endpoints(params ReadOnlySpan<string> texts)
    {
        var endpoints = ImmutableArray.CreateBuilder<IPEndPoint>(texts.Length);
        foreach (var text in texts)
        {
            endpoints.Add(IPEndPoint.Parse(text));
        }

        return endpoints.MoveToImmutable();
    }
}

/// <summary>How sure is sure enough: a satellite's own gaps are longer than a cable's.</summary>
internal enum OutagePreset
{
    Unknown = 0,
    Fast = 1,
    Balanced = 2,
    Satellite = 3,
}
