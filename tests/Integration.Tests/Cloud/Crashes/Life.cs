using System.Collections.Immutable;
using System.Net;
using Common;
using Common.Agent;
using Common.Journal;
using InternalHost.Cloud;
using InternalHost.Failover;
using InternalHost.Wan;
using InternalHost.Wan.Detection;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Logging.Abstractions;

namespace Integration.Tests.Cloud.Crashes;

/// <summary>One run of the program, as far as the cloud is concerned: the real controller on its journal, with its effects. Disposed, it has been killed.</summary>
internal sealed class Life : IAsyncDisposable
{
    private static readonly FailoverPolicy Policy = new(TimeSpan.Zero, TimeSpan.FromMilliseconds(50), null, Lifecycle.StopStart, HasAgent: true)
    {
        SummonEvery = TimeSpan.FromMilliseconds(200),
        DescribeWhileChanging = TimeSpan.FromMilliseconds(100),
        DescribeWhileConnecting = TimeSpan.FromMilliseconds(200),
        DescribeWhileServing = TimeSpan.FromMilliseconds(300),
        AskWhileServing = TimeSpan.FromMilliseconds(100),
        AskWhileDraining = TimeSpan.FromMilliseconds(100),
        CloudRetry = new Backoff(TimeSpan.FromMilliseconds(100), TimeSpan.FromSeconds(1)),
    };

    private readonly FailoverInbox _inbox = new(TimeProvider.System);
    private readonly FailoverEffects _effects;
    private readonly FailoverService _service;

    private Life(Database database, ICloud cloud)
    {
        _effects = new FailoverEffects(_inbox, cloud, new EmptyBastion(_inbox), new Silence(), TimeProvider.System, NullLogger<FailoverEffects>.Instance);
        _service = new FailoverService(
            _inbox, new FailoverJournal(database, "boot", TimeProvider.System), _effects, () => Policy with { Lifecycle = cloud.Lifecycle }, TimeProvider.System, NullLogger<FailoverService>.Instance);
    }

    public FailoverState State => _service.Snapshot;

    public static async Task<Life> BeginAsync(Database database, ICloud cloud)
    {
        var life = new Life(database, cloud);
        await life._service.StartAsync(default);
        return life;
    }

    public void Primary(Usable usable)
    {
        _inbox.TryPost(at => new FailoverEvent.UplinkSeen(at, UplinkName.Backup, Usable.Yes));
        _inbox.TryPost(at => new FailoverEvent.UplinkSeen(at, UplinkName.Primary, usable));
    }

    public async ValueTask DisposeAsync()
    {
        await _service.StopAsync(default);
        await _effects.DisposeAsync();
        _service.Dispose();
    }

    /// <summary>The tunnel comes up at once wherever there is an address, and nobody is there.</summary>
    private sealed class EmptyBastion(FailoverInbox inbox) : IWayIn
    {
        public void Open(int run, ImmutableArray<IPAddress> addresses)
        {
            if (!addresses.IsEmpty)
            {
                inbox.TryPost(at => new FailoverEvent.TunnelVerified(at, run));
            }
        }

        public void Close()
        {
        }

        public Task<AgentReply?> AskAsync(string op, CancellationToken ct) => Task.FromResult<AgentReply?>(new AgentReply(true, Sessions: 0, Drained: op == "drain"));
    }

    private sealed class Silence : IOutageAlerts
    {
        public void Add(SqliteTransaction transaction, FailoverEffect.RaiseAlert alert)
        {
        }

        public void AddInMemory(FailoverEffect.RaiseAlert alert)
        {
        }

        public void Wake()
        {
        }
    }
}
