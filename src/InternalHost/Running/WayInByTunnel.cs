using System.Collections.Immutable;
using System.Net;
using Common.Agent;
using Common.Time;
using InternalHost.Failover;
using InternalHost.Tunnel;
using InternalHost.Wan.Detection;

namespace InternalHost.Running;

/// <summary>Joins the controller's wish and the tunnel: passes wishes down, and news up with the number of the wish they belong to.</summary>
internal sealed class WayInByTunnel(FailoverInbox inbox) : IWayIn
{
    /// <summary>No round of the controller has it: news between two wishes is nobody's.</summary>
    private const int Nobody = -1;

    private volatile int _run = Nobody;

    /// <summary>Set once by the composition: the tunnel wants <see cref="OnNews"/> before it can be made.</summary>
    public TunnelService Tunnel { get; set; } = null!;

    /// <summary>By which uplink the tunnel's connection goes; set once by the composition.</summary>
    public Func<UplinkName?> By { get; set; } = () => null;

    /// <summary>When the tunnel last proved that the bastion is there, and by which uplink; null: it does not, now.</summary>
    public (UplinkName Uplink, Instant At)? Proof => By() is { } by && Tunnel.Snapshot.Verified is { } at ? (by, at) : null;

    public AgentClient Agent { get; set; } = null!;

    /// <summary>Somebody wants the tunnel.</summary>
    public bool Wanted => _run != Nobody;

    public void Open(int run, ImmutableArray<IPAddress> addresses)
    {
        _run = run;
        Tunnel.Want(addresses, run);
    }

    public void Close()
    {
        _run = Nobody;
        Tunnel.Unwant();
    }

    public Task<AgentReply?> AskAsync(string op, CancellationToken ct) => Agent.AskAsync(op, ct);

    /// <summary>Called from the tunnel's loop.</summary>
    public void OnNews(TunnelNews news)
    {
        // The number comes back with the news: a late word of an earlier wish is not taken for this one's.
        if (news.Wish == _run && FailoverEvent.Of(news) is { } told)
        {
            inbox.TryPost(told);
        }
    }
}
