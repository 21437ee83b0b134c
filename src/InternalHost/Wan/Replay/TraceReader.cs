using System.Collections.Immutable;
using System.Globalization;
using Common;
using Common.Configuration;
using Common.Text;

namespace InternalHost.Wan.Replay;

/// <summary>One mistake in a trace.</summary>
/// <param name="Column">Name of the column; <c>row</c> where it is the row as a whole.</param>
/// <param name="Value">What stands there, cleaned for a terminal.</param>
internal sealed record TraceError(long Line, string Column, string Value, string Reason)
{
    public override string ToString() => $"line {Line}: {Column} \"{Value}\": {Reason}";
}

/// <summary>
/// Reads a world trace row by row, holding none. Bad rows are left out and kept as <see cref="Errors"/>: a trace with any is not played.
/// <code>
/// t_s,target,loss,rtt_ms
/// 0,tls_a,0,25
/// 61.5,"dns_a",0.4,
/// </code>
/// </summary>
[PureCore]
internal sealed class TraceReader(TextReader text)
{
    /// <summary>More are counted, not kept.</summary>
    public const int MostErrors = 20;

    private const int LongestShown = 40;

    /// <summary>More than three thousand years: somebody wrote milliseconds.</summary>
    private const decimal MostSeconds = 100_000_000_000m;

    private const double MostMilliseconds = 1_000_000_000;

    private static readonly ImmutableArray<string> Columns = ["t_s", "target", "loss", "rtt_ms"];

    private readonly List<TraceError> _errors = [];
    private readonly TraceLines _lines = new(text);
    private readonly char[] _store = new char[TraceLines.Longest + 1];
    private bool _hasHeader;
    private decimal _lastSeconds = decimal.MinValue;

    public IReadOnlyList<TraceError> Errors => _errors;

    public long ErrorCount { get; private set; }

    /// <summary>Every good row, once.</summary>
    public IEnumerable<TraceRow> Rows()
    {
        var rows = 0L;
        while (TryReadLine(out var row))
        {
            if (row is { } good)
            {
                rows++;
                yield return good;
            }
        }

        if (ErrorCount == 0 && rows == 0)
        {
            Fail("row", [], _hasHeader ? "there is none behind the header: nothing to play" : $"the file is empty: the first line must be {string.Join(',', Columns)}");
        }
    }

    private bool TryReadLine(out TraceRow? row)
    {
        row = null;
        if (!_lines.TryRead(out var line))
        {
            return false;
        }

        var content = line.Trim();
        if (_lines.TooLong)
        {
            Fail("row", content, $"is longer than {TraceLines.Longest} characters: this is no trace");
            return false;
        }

        if (content is [] or ['#', ..])
        {
            return true;
        }

        var fields = TraceFields.Split(line, _store);
        if (fields.Problem is { } quoting)
        {
            Fail("row", content, quoting);
        }
        else if (!_hasHeader)
        {
            _hasHeader = true;
            return IsHeader(fields) || Refuse(content);
        }
        else if (fields.Count != TraceFields.Expected)
        {
            Fail("row", content, $"has {fields.Count} {(fields.Count == 1 ? "field" : "fields")}, not 4: an rtt_ms that stays is left empty behind its comma");
        }
        else
        {
            row = Row(fields);
        }

        return true;
    }

    /// <summary>Without its header nothing in the file means anything.</summary>
    private bool Refuse(ReadOnlySpan<char> content)
    {
        Fail("header", content, $"the first line must be {string.Join(',', Columns)}");
        return false;
    }

    private static bool IsHeader(scoped TraceFields fields)
    {
        for (var i = 0; i < Columns.Length; i++)
        {
            if (!fields[i].SequenceEqual(Columns[i]))
            {
                return false;
            }
        }

        return fields.Count == Columns.Length;
    }

    private TraceRow? Row(scoped TraceFields fields)
    {
        var seconds = Seconds(fields[0]);
        var target = Target(fields[1]);
        var loss = Loss(fields[2]);
        var rtt = Rtt(fields[3]);
        return seconds is { } s && target is { } t && loss is { } l && rtt is { } r
            ? new TraceRow((long)decimal.Round(s * TimeSpan.TicksPerSecond), t, l, r)
            : null;
    }

    private decimal? Seconds(ReadOnlySpan<char> field)
    {
        if (!decimal.TryParse(field, NumberStyles.Float, CultureInfo.InvariantCulture, out var seconds))
        {
            return Fail("t_s", field, "must be seconds, such as 61.5");
        }

        if (Math.Abs(seconds) > MostSeconds)
        {
            return Fail("t_s", field, "is out of range: are these milliseconds?");
        }

        if (seconds < _lastSeconds)
        {
            return Fail("t_s", field, $"goes back in time: the row before is of {_lastSeconds.ToString(CultureInfo.InvariantCulture)}");
        }

        return _lastSeconds = seconds;
    }

    private TraceTarget? Target(ReadOnlySpan<char> field)
    {
        var target = TraceTargets.Parse(field);
        if (target != TraceTarget.Unknown)
        {
            return target;
        }

        var words = TraceTargets.Words.Select(w => w.Word);
        var near = DidYouMean.Nearest(field.ToString(), words);
        Fail("target", field, near is null ? $"must be one of {string.Join(", ", words)}" : $"is not known: did you mean {near}?");
        return null;
    }

    private double? Loss(ReadOnlySpan<char> field)
    {
        if (double.TryParse(field, NumberStyles.Float, CultureInfo.InvariantCulture, out var loss) && loss is >= 0 and <= 1)
        {
            return loss;
        }

        Fail("loss", field, "must be a probability from 0 to 1");
        return null;
    }

    private double? Rtt(ReadOnlySpan<char> field)
    {
        if (field.IsEmpty)
        {
            return double.NaN;
        }

        if (double.TryParse(field, NumberStyles.Float, CultureInfo.InvariantCulture, out var rtt) && rtt is >= 0 and <= MostMilliseconds)
        {
            return rtt;
        }

        Fail("rtt_ms", field, "must be milliseconds, 0 or more, or empty for as before");
        return null;
    }

    private decimal? Fail(string column, ReadOnlySpan<char> value, string reason)
    {
        ErrorCount++;
        if (_errors.Count < MostErrors)
        {
            _errors.Add(new TraceError(_lines.Number, column, SafeText.Clean(value.ToString(), LongestShown), reason));
        }

        return null;
    }
}
