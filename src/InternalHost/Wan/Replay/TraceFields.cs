using Common;

namespace InternalHost.Wan.Replay;

/// <summary>One line of comma separated values: RFC 4180, with blanks around a field dropped. A field never goes over a line's end.</summary>
[PureCore]
internal ref struct TraceFields
{
    public const int Expected = 4;

    private readonly Span<char> _store;
    private Field _a;
    private Field _b;
    private Field _c;
    private Field _d;
    private int _written;

    private record struct Field(int From, int Length);

    /// <param name="store">As long as the line; holds the fields without their quotes.</param>
    private TraceFields(Span<char> store) => _store = store;

    /// <summary>How many fields the line has; only the first four are kept.</summary>
    public int Count { get; private set; }

    /// <summary>What is wrong with the quoting; null: nothing.</summary>
    public string? Problem { get; private set; }

    public readonly ReadOnlySpan<char> this[int index]
    {
        get
        {
            var field = index switch { 0 => _a, 1 => _b, 2 => _c, _ => _d };
            return _store.Slice(field.From, field.Length);
        }
    }

    public static TraceFields Split(ReadOnlySpan<char> line, Span<char> store)
    {
        var fields = new TraceFields(store);
        while (fields.Problem is null)
        {
            var rest = line.TrimStart();
            var from = fields._written;
            line = rest is ['"', ..] ? fields.Quoted(rest) : fields.Bare(line);
            fields.Keep(new Field(from, fields._written - from));
            if (line.IsEmpty)
            {
                break;
            }

            line = line[1..];
        }

        return fields;
    }

    /// <summary>Returns the line from the comma behind the field on.</summary>
    private ReadOnlySpan<char> Bare(ReadOnlySpan<char> line)
    {
        var end = line.IndexOf(',');
        var field = (end < 0 ? line : line[..end]).Trim();
        field.CopyTo(_store[_written..]);
        _written += field.Length;
        return end < 0 ? [] : line[end..];
    }

    private ReadOnlySpan<char> Quoted(ReadOnlySpan<char> line)
    {
        for (var i = 1; i < line.Length; i++)
        {
            if (line[i] != '"')
            {
                _store[_written++] = line[i];
            }
            else if (i + 1 < line.Length && line[i + 1] == '"')
            {
                _store[_written++] = line[i++];
            }
            else
            {
                var rest = line[(i + 1)..].TrimStart();
                Problem = rest is [] or [',', ..] ? null : "has something behind its closing quote";
                return rest;
            }
        }

        Problem = "has an opening quote and no closing one";
        return [];
    }

    private void Keep(Field field)
    {
        switch (Count++)
        {
            case 0: _a = field; break;
            case 1: _b = field; break;
            case 2: _c = field; break;
            case 3: _d = field; break;
        }
    }
}
