using System.Collections.Immutable;
using System.Net;
using Common.Agent;
using InternalHost.Cloud;
using InternalHost.Failover;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Logging.Abstractions;
using Testing;

namespace InternalHost.Tests.Failover;

public sealed class FailoverEffectsTests : IAsyncLifetime
{
    private readonly FakeTime _time = new();
    private readonly FailoverInbox _inbox;
    private readonly ScriptedCloud _cloud = new();
    private readonly ScriptedWayIn _wayIn = new();
    private readonly FailoverEffects _effects;

    public FailoverEffectsTests()
    {
        _inbox = new FailoverInbox(_time);
        _effects = new FailoverEffects(_inbox, _cloud, _wayIn, new NoAlerts(), _time, NullLogger<FailoverEffects>.Instance);
    }

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync() => await _effects.DisposeAsync();

    [Fact]
    public async Task Start_accepted_is_answered_once_with_its_run()
    {
        _effects.Run(new FailoverEffect.StartInstance(7));

        Assert.Equal(7, Assert.IsType<FailoverEvent.StartAccepted>(await NextAsync()).Run);
    }

    [Fact]
    public async Task Provider_s_refusal_is_an_answer()
    {
        _cloud.Answer = _ => throw new CloudException(CloudFailure.Denied, "the key is refused");
        _effects.Run(new FailoverEffect.StopInstance(3));

        var failed = Assert.IsType<FailoverEvent.StopFailed>(await NextAsync());
        Assert.Equal((3, CloudFailure.Denied, "the key is refused"), (failed.Run, failed.Failure, failed.Detail));
    }

    [Fact]
    public async Task Silence_of_the_provider_is_a_lost_reply()
    {
        _cloud.Answer = ct => Task.Delay(Timeout.Infinite, ct);
        _effects.Run(new FailoverEffect.StartInstance(1));
        _time.Advance(TimeSpan.FromSeconds(31));

        Assert.Equal(CloudFailure.LostReply, Assert.IsType<FailoverEvent.StartFailed>(await NextAsync()).Failure);
    }

    [Fact]
    public async Task Agent_without_an_answer_leaves_the_sessions_unknown()
    {
        _wayIn.Answer = _ => null;
        _effects.Run(new FailoverEffect.AskSessions());

        Assert.Null(Assert.IsType<FailoverEvent.SessionsSeen>(await NextAsync()).Count);
    }

    [Theory]
    [InlineData(true, 0, 0, true, true)]
    [InlineData(true, 1, 0, true, false)]
    [InlineData(true, 0, 2, true, false)]
    [InlineData(true, 0, 0, false, false)]
    [InlineData(false, 0, 0, true, false)]
    public async Task Drained_needs_every_part(bool drained, int sessions, int outbox, bool aptIdle, bool expected)
    {
        _wayIn.Answer = _ => new AgentReply(true, Sessions: sessions, Drained: drained, Outbox: outbox, AptIdle: aptIdle);
        _effects.Run(new FailoverEffect.Drain(5));

        Assert.Equal(expected, Assert.IsType<FailoverEvent.DrainAnswered>(await NextAsync()).Drained);
    }

    [Fact]
    public async Task Undrain_does_not_overtake_its_drain()
    {
        _wayIn.Gate = new TaskCompletionSource();
        _effects.Run(new FailoverEffect.Drain(5));
        _effects.Run(new FailoverEffect.Undrain());
        Assert.Equal(["drain"], _wayIn.Asked);

        _wayIn.Gate.SetResult();
        await NextAsync();
        await _wayIn.Undrained.Task.WaitAsync(TimeSpan.FromSeconds(20));
        Assert.Equal(["drain", "undrain"], _wayIn.Asked);
    }

    private async Task<FailoverEvent> NextAsync()
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(20));
        await foreach (var told in _inbox.ReadAllAsync(limit.Token))
        {
            return told.Event;
        }

        throw new InvalidOperationException("the inbox ended");
    }

    private sealed class ScriptedCloud : ICloud
    {
        public Func<CancellationToken, Task> Answer { get; set; } = _ => Task.CompletedTask;

        public Lifecycle Lifecycle => Lifecycle.StopStart;

        public async Task<InstanceSight> DescribeAsync(CancellationToken ct)
        {
            await Answer(ct);
            return InstanceSight.Absent;
        }

        public Task StartAsync(CancellationToken ct) => Answer(ct);

        public Task StopAsync(CancellationToken ct) => Answer(ct);
    }

    private sealed class ScriptedWayIn : IWayIn
    {
        public List<string> Asked { get; } = [];

        public TaskCompletionSource? Gate { get; set; }

        public TaskCompletionSource Undrained { get; } = new();

        public Func<string, AgentReply?> Answer { get; set; } = _ => new AgentReply(true);

        public void Open(int run, ImmutableArray<IPAddress> addresses)
        {
        }

        public void Close()
        {
        }

        public async Task<AgentReply?> AskAsync(string op, CancellationToken ct)
        {
            Asked.Add(op);
            if (Gate is not null)
            {
                await Gate.Task;
            }

            if (op == "undrain")
            {
                Undrained.TrySetResult();
            }

            return Answer(op);
        }
    }

    private sealed class NoAlerts : IOutageAlerts
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
