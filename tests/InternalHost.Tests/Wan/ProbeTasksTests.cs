using System.Threading.Channels;
using Common.Time;
using InternalHost.Wan;
using InternalHost.Wan.Detection;
using InternalHost.Wan.Probes;
using Testing;

namespace InternalHost.Tests.Wan;

public sealed class ProbeTasksTests
{
    private static readonly ProbeRequest Request = new(WitnessName.DnsA, 3, false, false, TimeSpan.FromMilliseconds(400));

    private readonly FakeTime _time = new();
    private readonly Channel<WanEvent> _inbox = Channel.CreateUnbounded<WanEvent>();
    private readonly HeldProber _prober = new();

    [Fact]
    public async Task Answer_in_time_is_told_once_with_its_send_time()
    {
        var probes = Start();
        var sent = Instant.Now(_time);

        _time.Advance(TimeSpan.FromMilliseconds(30));
        _prober.Held.SetResult(ProbeOutcome.Answered);
        var told = await _inbox.Reader.ReadAsync();
        await probes.EndAsync();

        Assert.Equal(new ProbeResult(Request, sent, sent + TimeSpan.FromMilliseconds(30), ProbeOutcome.Answered), told.Result);
        Assert.Equal(UplinkName.Backup, told.Uplink);
        Assert.False(_inbox.Reader.TryRead(out _));
    }

    [Fact]
    public async Task Miss_is_told_at_its_timeout_and_the_late_answer_after_it()
    {
        var probes = Start();

        _time.Advance(TimeSpan.FromMilliseconds(400));
        var miss = await _inbox.Reader.ReadAsync();
        _time.Advance(TimeSpan.FromMilliseconds(1100));
        _prober.Held.SetResult(ProbeOutcome.Authenticated);
        var late = await _inbox.Reader.ReadAsync();
        await probes.EndAsync();

        Assert.Equal((ProbeOutcome.Lost, false), (miss.Result.Outcome, miss.Result.IsLate));
        Assert.Equal((ProbeOutcome.Authenticated, true), (late.Result.Outcome, late.Result.IsLate));
        Assert.Equal(TimeSpan.FromMilliseconds(1500), late.Result.At - late.Result.SentAt);
    }

    [Fact]
    public async Task Probe_that_never_ends_is_given_up()
    {
        _prober.EndsOnGiveUp = true;
        var probes = Start();

        _time.Advance(TimeSpan.FromMilliseconds(400));
        await _inbox.Reader.ReadAsync();
        _time.Advance(TimeSpan.FromSeconds(10));
        await probes.EndAsync();

        Assert.False(_inbox.Reader.TryRead(out _));
    }

    [Fact]
    public async Task Fault_of_a_prober_ends_the_inbox_not_silence()
    {
        var probes = Start();

        _prober.Held.SetException(new InvalidOperationException("a bug"));
        await probes.EndAsync();

        await Assert.ThrowsAsync<InvalidOperationException>(() => _inbox.Reader.Completion);
    }

    private ProbeTasks Start()
    {
        var probes = new ProbeTasks(_prober, _inbox.Writer, _time);
        probes.Start(UplinkName.Backup, Request, default);
        return probes;
    }

    private sealed class HeldProber : IProber
    {
        public TaskCompletionSource<ProbeOutcome> Held { get; } = new();

        public bool EndsOnGiveUp { get; set; }

        public Task<ProbeOutcome> AskAsync(UplinkName uplink, ProbeRequest request, CancellationToken giveUp)
        {
            if (EndsOnGiveUp)
            {
                giveUp.Register(() => Held.TrySetResult(ProbeOutcome.Lost));
            }

            return Held.Task;
        }

        public UplinkBytes Bytes(UplinkName uplink) => default;
    }
}
