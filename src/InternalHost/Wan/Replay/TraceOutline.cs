using Common;

namespace InternalHost.Wan.Replay;

/// <summary>What must be known of a whole trace before its first row is played.</summary>
/// <param name="First">Time of the first row, where the world starts.</param>
/// <param name="Last">Time of the last row, where it ends.</param>
/// <param name="NamesTlsB">It has a row for <c>tls_b</c>, which then does not follow <c>tls_a</c>.</param>
[PureCore]
internal sealed record TraceOutline(long First, long Last, long Rows, bool NamesTlsB)
{
    public TimeSpan Length => new(Last - First);

    public static TraceOutline Of(IEnumerable<TraceRow> rows)
    {
        var (first, last, count, tlsB) = (0L, 0L, 0L, false);
        foreach (var row in rows)
        {
            first = count++ == 0 ? row.T : first;
            last = row.T;
            tlsB |= row.Target == TraceTarget.TlsB;
        }

        return new TraceOutline(first, last, count, tlsB);
    }
}
