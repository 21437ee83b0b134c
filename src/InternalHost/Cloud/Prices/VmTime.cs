using System.Globalization;
using Common;
using Common.Journal;
using Common.Time;
using Microsoft.Data.Sqlite;

namespace InternalHost.Cloud.Prices;

/// <summary>One row of the controller's journal, as far as money goes.</summary>
/// <param name="At">Monotonic, within <paramref name="Boot"/>.</param>
/// <param name="Runs">From here on the VM is paid for by the hour.</param>
internal sealed record VmMoment(string Boot, Instant At, DateTimeOffset Wall, bool Runs);

/// <summary>How long the VM ran on our behalf, by the controller's journal. What the owner's own start cost before it was joined is not in it.</summary>
[PureCore]
internal static class VmTime
{
    /// <param name="moments">Oldest first, beginning with the last one before <paramref name="from"/>.</param>
    public static TimeSpan Between(IReadOnlyList<VmMoment> moments, DateTimeOffset from, DateTimeOffset until)
    {
        var sum = TimeSpan.Zero;
        for (var i = 0; i < moments.Count; i++)
        {
            var (here, next) = (moments[i], i + 1 < moments.Count ? moments[i + 1] : null);
            if (!here.Runs)
            {
                continue;
            }

            var begin = here.Wall < from ? from : here.Wall;
            var end = here.Wall + Lasted(here, next, until);
            end = end > until ? until : end;
            sum += end > begin ? end - begin : TimeSpan.Zero;
        }

        return sum;
    }

    /// <summary>Within one boot by the clock that nobody sets.</summary>
    private static TimeSpan Lasted(VmMoment here, VmMoment? next, DateTimeOffset until) => next switch
    {
        null => until - here.Wall,
        _ when next.Boot == here.Boot => next.At - here.At,
        _ => next.Wall - here.Wall,
    };
}

/// <summary>Reads them.</summary>
internal static class VmMoments
{
    private const string Sql = """
        SELECT boot, at, wall, json_extract(state, '$.phase.phase'), json_extract(state, '$.phase.accepted') FROM failover
        WHERE seq >= coalesce((SELECT max(seq) FROM failover WHERE wall < $from), 0) ORDER BY seq
        """;

    /// <exception cref="SqliteException"/>
    public static List<VmMoment> Read(SqliteConnection connection, DateTimeOffset from) => connection
        .Sql(Sql, ("$from", from.UtcDateTime.ToString("O", CultureInfo.InvariantCulture)))
        .List(r => new VmMoment(
            r.GetString(0),
            new Instant(r.GetInt64(1)),
            DateTimeOffset.Parse(r.GetString(2), CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal),
            Runs(r.IsDBNull(3) ? "" : r.GetString(3), !r.IsDBNull(4) && r.GetBoolean(4))));

    private static bool Runs(string phase, bool accepted) => phase is "connecting" or "serving" or "draining" or "stopping" || (phase == "starting" && accepted);
}
