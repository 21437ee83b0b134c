using System.Collections.Immutable;
using System.Net;

namespace Bastion.Host;

/// <summary>What this host is to be: <c>/etc/bastion/host.yaml</c>, validated.</summary>
/// <param name="Ports">sshd's, the first one first.</param>
/// <param name="Exempt">Addresses and networks that PerSourcePenalties never touch: the home's own, never a carrier's.</param>
internal sealed record HostSettings(
    ImmutableArray<int> Ports,
    ImmutableArray<SiteAccess> Sites,
    ImmutableArray<IPNetwork> Exempt,
    int AgentPort,
    LogTarget? Logs,
    ImmutableArray<AuditException> Exceptions)
{
    public static readonly ImmutableArray<int> DefaultPorts = Configuration.AgentOptions.DefaultSshdPorts;

    public static readonly HostSettings Default = new(DefaultPorts, [], [], Configuration.AgentOptions.DefaultAgentPort, null, []);
}

/// <param name="Label">The site's, as in <c>site-LABEL</c>.</param>
/// <param name="FirstPort">Its block: this loopback port and the <see cref="BlockSize"/> - 1 after it.</param>
internal sealed record SiteAccess(string Label, int FirstPort)
{
    /// <summary>As <c>internalhost</c> counts: first_forward_port and the 15 that follow.</summary>
    public const int BlockSize = 16;

    public IEnumerable<int> Ports => Enumerable.Range(FirstPort, BlockSize);

    /// <summary>All but the last one, by which the inside proves its tunnel.</summary>
    public IEnumerable<int> ServicePorts => Enumerable.Range(FirstPort, BlockSize - 1);

    public bool Overlaps(SiteAccess other) => Math.Abs(FirstPort - other.FirstPort) < BlockSize;
}

/// <summary>Where this host's log goes, over TLS.</summary>
/// <param name="Peer">The name that the receiver's certificate must carry.</param>
/// <param name="CaFile">PEM of the root it must chain to.</param>
/// <param name="CanaryCommand">A program and its arguments that prints the receiver's newest lines, so that the canary is seen there; empty: not checked.</param>
internal sealed record LogTarget(string Host, int Port, string Peer, string CaFile, ImmutableArray<string> CanaryCommand);

/// <summary>A check that the owner knows to fail, until when, and why.</summary>
/// <param name="Expires">The last day it holds, UTC.</param>
internal sealed record AuditException(string Check, string Reason, DateOnly Expires);
