using System.Collections.Immutable;
using System.Net;
using System.Net.Sockets;
using Common.Text;

namespace InternalHost.Messages;

/// <summary>Why there is a way in at all.</summary>
internal enum OpenCause
{
    Unknown = 0,
    PrimaryDown = 1,

    /// <summary><c>internalhost open</c>.</summary>
    Operator = 2,

    /// <summary>The owner pressed Start in the provider's app.</summary>
    Summoned = 3,
}

/// <summary>What every message about one outage has in common.</summary>
/// <param name="OutageId">The journal's name for it; the alerts' ids come from it.</param>
/// <param name="RaisedAt">Local wall time now.</param>
/// <param name="DownAt">Local wall time of the cut; null where the clock is not to be trusted, or nothing was cut.</param>
internal sealed record OutageFacts(string Site, string OutageId, OpenCause Cause, DateTimeOffset RaisedAt, DateTimeOffset? DownAt)
{
    private const int SiteLimit = 12;

    public string SiteText => SmsText.Field(Site, SiteLimit);
}

/// <param name="name">As the provider's app shows it.</param>
/// <param name="cloud">As people call it: AWS, DigitalOcean.</param>
/// <param name="otherPort">The second port, where there is one.</param>
internal sealed class VmFacts(string name, string cloud, int? otherPort)
{
    private const int VmLimit = 13;
    private const int CloudLimit = 12;

    public string Name { get; } = SmsText.Field(name, VmLimit);

    public string Cloud { get; } = SmsText.Field(cloud, CloudLimit);

    public int? OtherPort { get; } = otherPort;

    /// <summary>Beginnings of the fingerprint that the VM shows and of the one that is pinned; null: not known.</summary>
    public (string Shown, string Pinned)? Keys { get; init; }
}

/// <summary>The way in as somebody types it by hand.</summary>
/// <param name="JumpHost">Name, or address (IPv6 without brackets).</param>
/// <param name="InnerPort">Loopback port on the bastion that leads inside.</param>
/// <param name="OtherPort">The bastion's second port, for networks that block the first.</param>
internal sealed record WayIn(string JumpUser, string JumpHost, int JumpPort, string InnerUser, int InnerPort, int? OtherPort)
{
    /// <summary><c>ssh -J alice@home.example.net:49022 -p 22001 pi@127.0.0.1</c>. Never shortened: half a command is worse than none.</summary>
    public string Command => SafeText.Clean($"ssh -J {JumpUser}@{Bracketed}:{JumpPort} -p {InnerPort} {InnerUser}@127.0.0.1");

    /// <summary>
    /// Of the VM's addresses the one to tell people: IPv4, which every network has that they may sit in. What we dial may be IPv6 where our
    /// backup has nothing else, or an address behind its NAT64, which means nothing to anybody else.
    /// </summary>
    /// <param name="addresses">As the provider says.</param>
    /// <param name="dialled">Where the tunnel goes; null: nowhere yet.</param>
    public static IPAddress? AddressForPeople(ImmutableArray<IPAddress> addresses, IPAddress? dialled)
    {
        var known = dialled is not null && addresses.Contains(dialled);
        return known && dialled!.AddressFamily == AddressFamily.InterNetwork ? dialled
            : addresses.FirstOrDefault(a => a.AddressFamily == AddressFamily.InterNetwork)
            ?? (known ? dialled : addresses.FirstOrDefault() ?? dialled);
    }

    private string Bracketed => JumpHost.Contains(':', StringComparison.Ordinal) ? $"[{JumpHost}]" : JumpHost;
}

/// <summary>How an outage went. What is null is not known, and left out.</summary>
/// <param name="BackAt">Local wall time when the primary was up again.</param>
/// <param name="DownFor">Monotonic.</param>
/// <param name="VmStopped">The provider has confirmed it. False: this VM is never stopped (static).</param>
/// <param name="OpenIn">From the verdict to the verified tunnel; null: it never was.</param>
internal sealed record ClosedFacts(
    DateTimeOffset? BackAt,
    TimeSpan? DownFor,
    bool VmStopped,
    DateTimeOffset? ClosedAt,
    TimeSpan? OpenIn,
    int? Logins,
    long? BackupBytes,
    decimal? CostUsd);
