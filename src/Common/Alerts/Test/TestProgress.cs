using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Serialization;
using Common.Hosting;
using Common.Text;
using Common.Time;

namespace Common.Alerts.Test;

/// <summary>Shows test messages on their way until each is confirmed or lost: <c>alerts test</c> of both programs.</summary>
/// <param name="look">Asks the running program how they stand; null: it did not answer, and the reason is printed.</param>
public sealed class TestProgress(Func<IReadOnlyCollection<string>, CancellationToken, Task<IReadOnlyList<ChannelTest>?>> look, TextWriter output, bool json, TimeProvider time)
{
    private static readonly TimeSpan Pace = TimeSpan.FromMilliseconds(500);

    private readonly Instant _start = Instant.Now(time);

    /// <returns>0 when each was confirmed, 1 when one was not.</returns>
    public async Task<int> FollowAsync(IReadOnlyList<ChannelTest> tests, TimeSpan patience, CancellationToken ct)
    {
        var shown = new Dictionary<string, ChannelTest>(StringComparer.Ordinal);
        Show(tests, shown);
        var (now, end) = (tests, _start + patience);
        while (now.Any(t => !t.IsSettled) && Instant.Now(time) < end)
        {
            await Task.Delay(Pace, time, ct);
            if (await look([.. tests.Select(t => t.Id)], ct) is not { } seen)
            {
                return ExitCode.Failed;
            }

            now = seen;
            Show(now, shown);
        }

        var confirmed = now.Count(t => t.IsConfirmed);
        if (!json)
        {
            await output.WriteLineAsync(confirmed == tests.Count ? $"{confirmed} of {tests.Count} confirmed" : $"{confirmed} of {tests.Count} confirmed: the others did not arrive in {patience.TotalSeconds:F0} s");
        }

        return confirmed == tests.Count ? ExitCode.Good : ExitCode.Failed;
    }

    private void Show(IReadOnlyList<ChannelTest> tests, Dictionary<string, ChannelTest> shown)
    {
        foreach (var test in tests.Where(t => !shown.TryGetValue(t.Id, out var before) || before != t))
        {
            shown[test.Id] = test;
            var after = (Instant.Now(time) - _start).TotalSeconds;
            output.WriteLine(json
                ? JsonSerializer.Serialize(new TestLine(Math.Round(after, 3), test.Id, test.Channel, test.Phase, test.Code, test.Reason), TestJson.Default.TestLine)
                : $"{after,6:F1} s  {test.Channel,-9} {test.Phase,-12} #{test.Id} {Words(test)}".TrimEnd());
        }
    }

    private static string Words(ChannelTest test) => SafeText.Clean(test.Code is null ? test.Reason : $"{test.Code} {test.Reason}");
}

/// <param name="T">Seconds since the test began.</param>
internal sealed record TestLine(double T, string Id, string Channel, string Phase, string? Code, string? Reason);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(TestLine))]
internal sealed partial class TestJson : JsonSerializerContext;
