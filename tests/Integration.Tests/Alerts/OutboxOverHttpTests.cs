using Common.Alerts;
using Common.Alerts.Sms;
using Common.Journal;
using Lab.World;
using Microsoft.Extensions.Logging.Abstractions;

namespace Integration.Tests.Alerts;

/// <summary>Outbox, REST client and gateway together, on a real file and over real HTTP, with the waits cut short.</summary>
public sealed class OutboxOverHttpTests : IAsyncLifetime
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);
    private static readonly Route[] Alice = [Route.Sms("+15550100001")];

    private static readonly DeliveryPolicy Quick = new()
    {
        PollGaps = [TimeSpan.FromMilliseconds(50), TimeSpan.FromMilliseconds(100)],
        Looks = [TimeSpan.FromMilliseconds(50), TimeSpan.FromMilliseconds(100)],
        Retry = new(TimeSpan.FromMilliseconds(50), TimeSpan.FromMilliseconds(500)),
        RetryFloor = TimeSpan.FromMilliseconds(20),
        StopGrace = TimeSpan.FromMilliseconds(300),
    };

    private static readonly GatewayBehaviour Fast = new()
    {
        SendingAfter = TimeSpan.FromMilliseconds(20),
        SentAfter = TimeSpan.FromMilliseconds(40),
        DeliveredAfter = TimeSpan.FromMilliseconds(120),
    };

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("outbox");
    private readonly HttpClient _http = new();
    private readonly List<Database> _databases = [];
    private readonly List<OutboxService> _services = [];
    private TwilioGateway _gateway = null!;

    private string SecretFile => Path.Combine(_folder.FullName, "secret");

    public async Task InitializeAsync()
    {
        _gateway = await TwilioGateway.StartAsync(new TwilioAccount());
        _gateway.Behaviour = Fast;
        await File.WriteAllTextAsync(SecretFile, _gateway.Account.Secret);
    }

    public async Task DisposeAsync()
    {
        foreach (var service in _services)
        {
            await service.StopAsync(CancellationToken.None);
            service.Dispose();
        }

        _databases.ForEach(d => d.Dispose());
        await _gateway.DisposeAsync();
        _http.Dispose();
        _folder.Delete(recursive: true);
    }

    [Fact]
    public async Task Raised_alerts_arrive_once_each_and_are_confirmed()
    {
        var (outbox, service, _) = await StartAsync("state.db");

        Raise(outbox, "AAAA", "BBBB", "CCCC");

        await AssertFlushedAsync(service);
        Assert.Equal(["AAAA", "BBBB", "CCCC"], Ids());
    }

    [Fact]
    public async Task Lost_reply_gives_exactly_one_message()
    {
        _gateway.Behaviour = Fast with { LoseReplies = 1 };
        var (outbox, service, _) = await StartAsync("state.db");

        Raise(outbox, "AAAA");

        await AssertFlushedAsync(service);
        Assert.Equal(["AAAA"], Ids());
    }

    [Fact]
    public async Task Lost_requests_server_errors_and_slow_downs_delay_a_message_and_double_none()
    {
        _gateway.Behaviour = Fast with
        {
            FailSends = [new(0), new(500, 20500), new(429, 20429, TimeSpan.FromSeconds(1)), new(503), new(502)],
            FailAsks = [new(500), new(0)],
            LoseReplies = 1,
        };
        var (outbox, service, _) = await StartAsync("state.db");

        Raise(outbox, "AAAA", "BBBB");

        await AssertFlushedAsync(service);
        Assert.Equal(["AAAA", "BBBB"], Ids());
    }

    [Fact]
    public async Task Slow_down_is_obeyed()
    {
        _gateway.Behaviour = Fast with { FailSends = [new(429, 20429, TimeSpan.FromSeconds(2))] };
        var (outbox, service, _) = await StartAsync("state.db");
        var began = TimeProvider.System.GetTimestamp();

        Raise(outbox, "AAAA");
        await service.FlushAsync(Patience, CancellationToken.None);

        Assert.True(TimeProvider.System.GetElapsedTime(0, began) + TimeSpan.FromSeconds(1.9) <= TimeSpan.FromTicks(_gateway.Messages[0].At.Ticks));
    }

    [Fact]
    public async Task Gateway_down_for_a_while_delays_and_loses_nothing()
    {
        await _gateway.GoDownAsync();
        var (outbox, service, _) = await StartAsync("state.db");

        Raise(outbox, "AAAA", "BBBB");
        Assert.Equal(2, await service.FlushAsync(TimeSpan.FromSeconds(1), CancellationToken.None));
        Assert.Equal("gateway cannot be reached", service.Snapshot.LastError);

        await _gateway.GoUpAsync();
        await AssertFlushedAsync(service);
        Assert.Equal(["AAAA", "BBBB"], Ids());
        Assert.Null(service.Snapshot.LastError);
    }

    [Fact]
    public async Task Refused_message_is_a_dead_letter_that_names_code_and_cure()
    {
        _gateway.Behaviour = Fast with { FailSends = [new(400, 21610)] };
        var (outbox, service, _) = await StartAsync("state.db");

        Raise(outbox, "AAAA", "BBBB");
        await AssertFlushedAsync(service);

        var letter = Assert.Single(service.Snapshot.DeadLetters);
        Assert.Equal(("AAAA", "21610", TwilioErrors.Of(21610).Advice), (letter.AlertId, letter.Code, letter.Reason));
        Assert.Equal(["BBBB"], Ids());
    }

    [Theory]
    [InlineData("query_only=1", "query_only=0")]
    [InlineData("max_page_count=1", "max_page_count=100000")]
    public async Task Disk_that_cannot_be_written_stops_no_message(string fail, string mend)
    {
        var (outbox, service, database) = await StartAsync("state.db");
        database.Read(c => c.Sql($"PRAGMA {fail}").Run());
        string[] ids = [.. Enumerable.Range(0, 12).Select(i => $"DSK{i + 100}")];

        foreach (var id in ids)
        {
            outbox.Raise(NewAlert(id) with { Text = $"{new string('x', 900)} #{id}" }, Alice);
        }

        await AssertFlushedAsync(service);

        Assert.Equal(ids, Ids());
        Assert.NotNull(service.Snapshot.Problem);

        database.Read(c => c.Sql($"PRAGMA {mend}").Run());
        Raise(outbox, "LAST");
        await service.FlushAsync(Patience, CancellationToken.None);
        await service.StopAsync(CancellationToken.None);
        Assert.Null(service.Snapshot.Problem);
        Assert.Equal(13, database.Read(c => c.Sql("SELECT 1 FROM deliveries WHERE phase=$confirmed", ("$confirmed", (int)DeliveryPhase.Confirmed)).List(r => r.GetInt32(0))).Count);
    }

    [Fact]
    public async Task Request_under_way_when_stopping_is_finished_and_written()
    {
        _gateway.Behaviour = Fast with { AnswerDelay = TimeSpan.FromMilliseconds(600) };
        var (outbox, service, database) = await StartAsync("state.db", Quick with { StopGrace = TimeSpan.FromSeconds(20) });
        var asked = new TaskCompletionSource();
        _gateway.Received = _ => asked.TrySetResult();
        Raise(outbox, "AAAA");
        while (_gateway.Requests == 0)
        {
            await Task.Delay(10);
        }

        await service.StopAsync(CancellationToken.None);

        await asked.Task.WaitAsync(Patience);
        Assert.Equal([_gateway.Messages[0].Sid], database.Read(c => c.Sql("SELECT provider_id FROM deliveries WHERE phase=5").List(r => r.GetString(0))));
    }

    /// <summary>Where the first run dies: at the nth call of the channel, before the request or after the gateway has answered it.</summary>
    [Theory]
    [InlineData(1, false, 0)]
    [InlineData(1, true, 0)]
    [InlineData(2, false, 0)]
    [InlineData(2, true, 0)]
    [InlineData(3, true, 0)]
    [InlineData(2, false, 1)]
    [InlineData(2, true, 1)]
    [InlineData(3, false, 1)]
    [InlineData(3, true, 1)]
    public async Task Killed_between_any_two_steps_ids_at_the_gateway_equal_ids_raised(int call, bool afterAnswer, int loseReplies)
    {
        _gateway.Behaviour = Fast with { LoseReplies = loseReplies };
        var dying = new DyingChannel(Sms(), call, afterAnswer);
        var (outbox, _, _) = await StartAsync("first.db", channel: dying);
        Raise(outbox, "AAAA");
        await dying.Died.WaitAsync(Patience);
        outbox.Raise(NewAlert("BBBB"), Alice);
        CopyAsKilled("first.db", "second.db");

        var (second, service, _) = await StartAsync("second.db");
        Raise(second, "AAAA", "BBBB", "CCCC");

        await AssertFlushedAsync(service);
        Assert.Equal(["AAAA", "BBBB", "CCCC"], Ids());
        Assert.Equal(0, service.Snapshot.Dead);
    }

    private async Task<(Outbox Outbox, OutboxService Service, Database Database)> StartAsync(string file, DeliveryPolicy? policy = null, IMessageChannel? channel = null)
    {
        var database = Database.Open(Path.Combine(_folder.FullName, file), Outbox.Migration, Outbox.DetailsMigration);
        var outbox = new Outbox(database);
        var service = new OutboxService(outbox, [channel ?? Sms()], TimeProvider.System, NullLogger<OutboxService>.Instance, policy ?? Quick);
        _databases.Add(database);
        _services.Add(service);
        await service.StartAsync(CancellationToken.None);
        return (outbox, service, database);
    }

    private TwilioSms Sms() => new(
        () => _http, new TwilioOptions(_gateway.BaseUrl, _gateway.Account.Sid, _gateway.Account.KeyName, SecretFile, _gateway.Account.Number), TimeProvider.System);

    /// <summary>What is on disk when a process is killed: the file and its write-ahead log, as they are.</summary>
    private void CopyAsKilled(string from, string to)
    {
        foreach (var suffix in new[] { "", "-wal" })
        {
            File.Copy(Path.Combine(_folder.FullName, from + suffix), Path.Combine(_folder.FullName, to + suffix));
        }
    }

    private static void Raise(Outbox outbox, params string[] ids)
    {
        foreach (var id in ids)
        {
            outbox.Raise(NewAlert(id), Alice);
        }
    }

    private static Alert NewAlert(string id) => new(id, "open", Severity.High, $"home: it happened #{id}", TimeProvider.System.GetUtcNow(), id);

    private async Task AssertFlushedAsync(OutboxService service)
    {
        var left = await service.FlushAsync(Patience, CancellationToken.None);

        Assert.True(left == 0, $"{left} left after {service.Snapshot.OldestPendingAge}: {service.Snapshot}, at the gateway {string.Join(' ', Ids())}, {_gateway.Requests} requests");
    }

    private IEnumerable<string> Ids() => _gateway.Messages.Select(m => m.AlertId).Order();

    /// <summary>A channel whose process is killed at a call: nothing comes back from it any more.</summary>
    private sealed class DyingChannel(ITrackedChannel inner, int call, bool afterAnswer) : ITrackedChannel
    {
        private readonly TaskCompletionSource _died = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private int _calls;

        public Task Died => _died.Task;

        public string Name => inner.Name;

        public Repetition Repetition => inner.Repetition;

        public Task<SendOutcome> SendAsync(OutgoingMessage message, CancellationToken ct) => PassAsync(() => inner.SendAsync(message, ct), ct);

        public Task<DeliveryStatus> QueryAsync(string providerId, CancellationToken ct) => PassAsync(() => inner.QueryAsync(providerId, ct), ct);

        public Task<string?> FindAsync(OutgoingMessage message, CancellationToken ct) => PassAsync(() => inner.FindAsync(message, ct), ct);

        private async Task<T> PassAsync<T>(Func<Task<T>> ask, CancellationToken ct)
        {
            var here = ++_calls >= call;
            if (!here || (afterAnswer && _calls == call))
            {
                var answer = await ask();
                if (!here)
                {
                    return answer;
                }
            }

            _died.TrySetResult();
            await Task.Delay(Timeout.Infinite, ct);
            throw new InvalidOperationException("a dead process answers nothing");
        }
    }
}
