using System.Collections.Immutable;
using System.Net;
using Common.Agent;
using Common.Time;
using InternalHost.Failover;
using InternalHost.Sync;
using InternalHost.Tunnel;
using InternalHost.Wan.Detection;

namespace InternalHost.Running;

/// <summary>Joins the controller's wish and the tunnel: passes wishes down, and news up with the number of the wish they belong to.</summary>
internal sealed class WayInByTunnel(FailoverInbox inbox, TimeProvider time) : IWayIn
{
    /// <summary>No round of the controller has it: news between two wishes is nobody's.</summary>
    private const int Nobody = -1;

    /// <summary>How long the bastion's answer about people is waited for before the way in is said to be open all the same.</summary>
    private static readonly TimeSpan PeoplePatience = TimeSpan.FromSeconds(10);

    private volatile int _run = Nobody;

    /// <summary>Counts the news: what was held back is dropped when something newer came, or nobody wants it any more.</summary>
    private int _turn;

    /// <summary>Set once by the composition: the tunnel wants <see cref="OnNews"/> before it can be made.</summary>
    public TunnelService Tunnel { get; set; } = null!;

    /// <summary>By which uplink the tunnel's connection goes; set once by the composition.</summary>
    public Func<UplinkName?> By { get; set; } = () => null;

    /// <summary>When the tunnel last proved that the bastion is there, and by which uplink; null: it does not, now.</summary>
    public (UplinkName Uplink, Instant At)? Proof => By() is { } by && Tunnel.Snapshot.Verified is { } at ? (by, at) : null;

    public AgentClient Agent { get; set; } = null!;

    /// <summary>Brings the bastion's people up to date; null: nobody does. Set once by the composition.</summary>
    public SyncService? Sync { get; set; }

    /// <summary>Another machine uses this site's account; by the number of the wish. Set once by the composition.</summary>
    public Action<int> Evicted { get; set; } = _ => { };

    /// <summary>Somebody wants the tunnel.</summary>
    public bool Wanted => _run != Nobody;

    public void Open(int run, ImmutableArray<IPAddress> addresses)
    {
        if (_run != run)
        {
            Sync?.Opened(run);
        }

        _run = run;
        Tunnel.Want(addresses, run);
    }

    public void Close()
    {
        _run = Nobody;
        Interlocked.Increment(ref _turn);
        Tunnel.Unwant();
        Sync?.Closed();
    }

    public Task<AgentReply?> AskAsync(string op, CancellationToken ct) => Agent.AskAsync(op, ct);

    /// <summary>Called from the tunnel's loop.</summary>
    public void OnNews(TunnelNews news)
    {
        // The number comes back with the news: a late word of an earlier wish is not taken for this one's.
        if (news.Wish != _run || FailoverEvent.Of(news) is not { } told)
        {
            return;
        }

        var turn = Interlocked.Increment(ref _turn);
        if (news is not TunnelNews.Verified)
        {
            if (news is TunnelNews.Trouble { Failure.Reason: TunnelReason.Evicted })
            {
                Evicted(news.Wish);
            }

            inbox.TryPost(told);
            return;
        }

        Sync?.Verified();
        var people = Sync?.Answered ?? Task.CompletedTask;
        if (people.IsCompleted)
        {
            inbox.TryPost(told);
        }
        else
        {
            _ = AfterAsync(people, turn, told);
        }
    }

    /// <summary>Open is said when people can get in: once their keys are there, or after a while, whatever keeps them.</summary>
    private async Task AfterAsync(Task people, int turn, Func<Instant, FailoverEvent> told)
    {
        await people.WaitAsync(PeoplePatience, time).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (Volatile.Read(ref _turn) == turn)
        {
            inbox.TryPost(told);
        }
    }
}
