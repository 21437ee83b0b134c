using System.Collections.Immutable;
using Common.Text;
using Common.Time;

namespace Common.Alerts;

/// <summary>
/// What could not be sent for a long time is not read message by message when the line is back: the newest are, and one message tells
/// of the rest, which <c>alerts list</c> shows.
/// </summary>
[PureCore]
public static class Backlog
{
    /// <summary>The kind of the message that tells of the rest.</summary>
    public const string Kind = "digest";

    /// <summary>Why one that was folded is not needed: this, and the digest's id.</summary>
    public const string ToldIn = "told in #";

    private static readonly TimeSpan Long = TimeSpan.FromMinutes(10);
    private const int Most = 6;
    private const int Newest = 2;

    /// <summary>
    /// Those to be folded, of the alerts of which nothing has left: all but the newest critical and the newest other ones. Empty: there
    /// are few, or they have not waited long.
    /// </summary>
    /// <param name="waiting">In the order they were raised.</param>
    public static ImmutableArray<Alert> ToFold(IReadOnlyList<(Alert Alert, Instant Since)> waiting, Instant now)
    {
        var old = waiting.Where(w => now - w.Since >= Long && w.Alert.Kind != Kind).Select(w => w.Alert).ToList();
        if (old.Count <= Most)
        {
            return [];
        }

        var kept = old.Where(a => a.Severity == Severity.Critical).TakeLast(Newest).Concat(old.Where(a => a.Severity != Severity.Critical).TakeLast(Newest)).ToHashSet();
        return [.. old.Where(a => !kept.Contains(a))];
    }

    /// <summary><c>home: 37 messages could not be sent when they were due (30 login, 4 closed, 3 open). Newest follow or came. Read them: alerts list. #7F3K</c></summary>
    public static Alert Digest(string site, ImmutableArray<Alert> folded, DateTimeOffset wall)
    {
        var seed = $"{site}/backlog/{folded[0].Id}/{folded[^1].Id}/{folded.Length}";
        var id = AlertId.From(seed);
        var kinds = folded.GroupBy(a => a.Kind, StringComparer.Ordinal).OrderByDescending(g => g.Count()).Select(g => $"{g.Count()} {SmsText.Field(g.Key, 12)}");
        var critical = folded.Count(a => a.Severity == Severity.Critical);
        var text = SmsText.Fit(
            id,
            $"{SmsText.Field(site, 12)}: {folded.Length} messages could not be sent when they were due",
            SmsPart.Optional(1, $" ({string.Join(", ", kinds)})"),
            SmsPart.Optional(2, critical > 0 ? $", {critical} of them critical" : ""),
            ". The newest are sent, read the rest: alerts list.");
        return new Alert(id, Kind, critical > 0 ? Severity.High : Severity.Normal, text, wall, seed);
    }
}
