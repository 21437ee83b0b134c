using System.Collections.Immutable;
using System.Net;
using Common.Time;
using InternalHost.Failover;
using InternalHost.Running;
using InternalHost.Sync;
using InternalHost.Tunnel;
using Microsoft.Extensions.Logging.Abstractions;
using Testing;

namespace InternalHost.Tests.Sync;

/// <summary>The controller hears that the way in is open when people can get in, or when it has waited long enough for that.</summary>
public sealed class WayInByTunnelTests : IAsyncDisposable, IDisposable
{
    private static readonly IPAddress Vm = IPAddress.Parse("203.0.113.7");
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly FakeTime _time = new();
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("wi");
    private readonly TaskCompletionSource<SyncAnswer> _answer = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly List<SyncProblem> _told = [];
    private readonly FailoverInbox _inbox;
    private readonly WayInByTunnel _wayIn;
    private readonly SyncService _sync;

    public WayInByTunnelTests()
    {
        _inbox = new FailoverInbox(_time);
        _sync = new SyncService((_, ct) => _answer.Task.WaitAsync(ct), _ => Task.FromResult(false), (_, problem) => _told.Add(problem), _time, NullLogger<SyncService>.Instance);
        _wayIn = new WayInByTunnel(_inbox, _time) { Sync = _sync, Tunnel = Idle() };
    }

    public void Dispose() => _folder.Delete(recursive: true);

    public async ValueTask DisposeAsync()
    {
        await _sync.StopAsync(CancellationToken.None);
        _sync.Dispose();
    }

    [Fact]
    public async Task Open_waits_for_the_bastions_answer()
    {
        await BeginAsync();
        _wayIn.OnNews(new TunnelNews.Verified(Now, 1));
        Assert.False(_inbox.TryRead(out _));

        _answer.SetResult(new SyncAnswer(true, 5, null));

        Assert.IsType<FailoverEvent.TunnelVerified>(await NextAsync());
    }

    [Fact]
    public async Task Open_waits_ten_seconds_and_no_longer()
    {
        await BeginAsync();
        _wayIn.OnNews(new TunnelNews.Verified(Now, 1));
        _time.Advance(TimeSpan.FromSeconds(9.9));
        Assert.False(_inbox.TryRead(out _));

        _time.Advance(TimeSpan.FromSeconds(0.2));

        Assert.IsType<FailoverEvent.TunnelVerified>(await NextAsync());
    }

    [Fact]
    public async Task Tunnel_lost_in_between_is_not_said_to_be_open()
    {
        await BeginAsync();
        _wayIn.OnNews(new TunnelNews.Verified(Now, 1));
        _wayIn.OnNews(new TunnelNews.Lost(Now, 1, new(TunnelReason.Closed, "")));
        _answer.SetResult(new SyncAnswer(true, 5, null));
        await _sync.Answered.WaitAsync(Patience);
        _time.Advance(TimeSpan.FromSeconds(20));

        Assert.IsType<FailoverEvent.TunnelLost>(await NextAsync());
        Assert.False(_inbox.TryRead(out _));
    }

    [Fact]
    public async Task Second_proof_of_one_wish_waits_for_nothing()
    {
        await BeginAsync();
        _answer.SetResult(SyncAnswer.Not(SyncFailure.Denied, "words"));
        await _sync.Answered.WaitAsync(Patience);

        _wayIn.OnNews(new TunnelNews.Verified(Now, 1));

        Assert.True(_inbox.TryRead(out var told));
        Assert.IsType<FailoverEvent.TunnelVerified>(told.Event);
    }

    private Instant Now => Instant.Now(_time);

    private async Task BeginAsync()
    {
        await _sync.StartAsync(CancellationToken.None);
        _wayIn.Open(1, [Vm]);
        _sync.Connected(Vm);
    }

    private async Task<FailoverEvent> NextAsync()
    {
        using var limit = new CancellationTokenSource(Patience);
        await foreach (var told in _inbox.ReadAllAsync(limit.Token))
        {
            return told.Event;
        }

        throw new InvalidOperationException("the inbox was closed");
    }

    private TunnelService Idle() => new(
        null!, null!, new(default, [1], "site", "/key", [], "alias", 22000, 22014, null, null, null, default), [], _folder.FullName, _time,
        NullLogger<TunnelService>.Instance, _ => { });
}
