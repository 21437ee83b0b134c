using Common.Time;
using InternalHost.Wan.Detection;
using InternalHost.Wan.Recording;
using InternalHost.Wan.Replay;
using Microsoft.Extensions.Logging.Abstractions;
using Testing;

namespace InternalHost.Tests.Wan.Recording;

public sealed class ProbeRecorderTests : IDisposable
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(30);
    private static readonly TraceRow[] None = [];

    private readonly string _folder = Directory.CreateTempSubdirectory("record-").FullName;
    private readonly FakeTime _time = new();

    private string Current => Path.Combine(_folder, RecordingFile.Name);

    private string Older => Path.Combine(_folder, RecordingFile.OlderName);

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task Recorder_stopped_has_written_all_that_it_heard_for_its_own_user_only()
    {
        await RecordAsync(_folder, (0.5, ProbeOutcome.Answered), (1.5, ProbeOutcome.Lost));

        var rows = Rows(Current);
        Assert.Equal([TraceTarget.Carrier, TraceTarget.DnsA, TraceTarget.DnsA], rows.Select(r => r.Target));
        Assert.Equal([0, 0, 1], rows.Select(r => r.Loss));
        Assert.Equal(FakeTime.Epoch.AddHours(1).AddSeconds(0.5), DateTimeOffset.UnixEpoch.AddTicks(rows[0].T));
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(Current));
    }

    [Fact]
    public async Task Recorder_started_again_goes_on_where_it_ended_even_if_the_clock_went_back()
    {
        await RecordAsync(_folder, (0.5, ProbeOutcome.Lost));
        _time.StepWallClock(TimeSpan.FromDays(-2));
        await RecordAsync(_folder, (0.5, ProbeOutcome.Answered));

        var rows = Rows(Current);
        Assert.Equal([0, 1, 0, 0], rows.Select(r => r.Loss));
        Assert.True(rows.Zip(rows.Skip(1)).All(p => p.First.T <= p.Second.T));
        Assert.False(File.Exists(Older));
    }

    [Fact]
    public async Task Recorder_on_a_disk_that_takes_nothing_says_so_and_goes_on_when_it_does()
    {
        var missing = Path.Combine(_folder, "later");
        using var recorder = new ProbeRecorder(missing, 1_000_000, DetectorOptions.AllWitnesses, _time, NullLogger<ProbeRecorder>.Instance);
        await recorder.StartAsync(default);
        Hear(recorder, 0.5, ProbeOutcome.Lost);
        await UntilAsync(() => recorder.Problem is not null);

        Directory.CreateDirectory(missing);
        await recorder.StopAsync(default);

        Assert.Null(recorder.Problem);
        Assert.Contains(Rows(Path.Combine(missing, RecordingFile.Name)), r => r is { Target: TraceTarget.DnsA, Loss: 1 });
    }

    /// <summary>A replay ends with the last row: after the last change there is one more, far enough on for a verdict.</summary>
    [Fact]
    public async Task Recorder_closes_a_change_with_a_row_that_changes_nothing()
    {
        using var recorder = new ProbeRecorder(_folder, 1_000_000, DetectorOptions.AllWitnesses, _time, NullLogger<ProbeRecorder>.Instance);
        await recorder.StartAsync(default);
        Hear(recorder, 0.5, ProbeOutcome.Lost);

        await UntilAsync(() => File.Exists(Current) && Rows(Current) is { Count: > 2 } rows && rows[^1].T - rows[^2].T >= 20 * TimeSpan.TicksPerSecond);
        await recorder.StopAsync(default);

        Assert.Equal([0, 1, 1], Rows(Current).Select(r => r.Loss));
    }

    [Fact]
    public void File_that_is_full_makes_room_and_each_half_is_a_trace_of_its_own()
    {
        var file = new RecordingFile(_folder, 4000);
        TraceRow[] known = [new(0, TraceTarget.TlsB, 1, double.NaN)];
        for (var i = 0; i < 500; i++)
        {
            file.Append([new TraceRow(At(i), TraceTarget.DnsA, i % 2, 30)], known, restate: false, "note");
        }

        Assert.InRange(new FileInfo(Current).Length, 1, 2200);
        Assert.InRange(new FileInfo(Older).Length, 1000, 2200);
        var (older, current) = (Rows(Older), Rows(Current));
        Assert.Equal(At(499), current[^1].T);
        Assert.Equal(older[^1].T + TimeSpan.TicksPerSecond, current[0].T);
        Assert.All([older[0], current[0]], r => Assert.Equal((TraceTarget.TlsB, 1), (r.Target, r.Loss)));
    }

    [Theory]
    [InlineData("9.5,dns")]
    [InlineData("9.5,dns_a,1,\0\0\0\0\0\0")]
    [InlineData("\0\0\0\0\0\0\n\0\0\0\0")]
    public void File_torn_by_a_power_cut_is_mended(string torn)
    {
        var file = new RecordingFile(_folder, 100_000);
        file.Append([new TraceRow(At(9), TraceTarget.DnsA, 1, double.NaN)], None, restate: false, "note");
        File.AppendAllText(Current, torn);

        Assert.Equal(At(9), file.Mend());
        file.Append([new TraceRow(At(10), TraceTarget.DnsA, 0, 30)], None, restate: false, "note");

        Assert.Equal([At(9), At(10)], Rows(Current).Select(r => r.T));
    }

    [Theory]
    [InlineData("")]
    [InlineData("t_s,target,loss,rtt_ms\n# note\n")]
    [InlineData("\0\0\0\0\0\0\0\0")]
    public void File_without_a_row_is_begun_anew_and_the_older_one_stays(string text)
    {
        var file = new RecordingFile(_folder, 100_000);
        File.WriteAllText(Older, "older");
        File.WriteAllText(Current, text);

        Assert.Null(file.Mend());
        file.Append([new TraceRow(At(1), TraceTarget.DnsA, 0, 30)], None, restate: false, "note");

        Assert.Single(Rows(Current));
        Assert.Equal("older", File.ReadAllText(Older));
    }

    private static long At(double seconds) => (long)((1_763_730_000 + seconds) * TimeSpan.TicksPerSecond);

    private async Task RecordAsync(string folder, params (double At, ProbeOutcome Outcome)[] probes)
    {
        using var recorder = new ProbeRecorder(folder, 1_000_000, DetectorOptions.AllWitnesses, _time, NullLogger<ProbeRecorder>.Instance);
        await recorder.StartAsync(default);
        foreach (var (at, outcome) in probes)
        {
            Hear(recorder, at, outcome);
        }

        await recorder.StopAsync(default);
        Assert.Null(recorder.Problem);
    }

    private void Hear(ProbeRecorder recorder, double seconds, ProbeOutcome outcome)
    {
        var sent = Instant.Now(_time) + TimeSpan.FromSeconds(seconds);
        var came = sent + TimeSpan.FromMilliseconds(30);
        var request = new ProbeRequest(WitnessName.DnsA, 0, Full: false, RandomLabel: false, TimeSpan.FromSeconds(1));
        recorder.Hear(new WanEvent(WanEventKind.Probed, came, UplinkName.Primary, new ProbeResult(request, sent, came, outcome)));
    }

    /// <summary>The service's loop runs on threads of its own: time is moved until it has noticed.</summary>
    private async Task UntilAsync(Func<bool> so)
    {
        for (var waited = TimeSpan.Zero; !so() && waited < Limit; waited += TimeSpan.FromMilliseconds(10))
        {
            _time.Advance(TimeSpan.FromSeconds(1));
            await Task.Delay(10);
        }

        Assert.True(so());
    }

    private static List<TraceRow> Rows(string path)
    {
        var reader = new TraceReader(new StringReader(File.ReadAllText(path)));
        var rows = reader.Rows().ToList();
        Assert.Empty(reader.Errors);
        return rows;
    }
}
