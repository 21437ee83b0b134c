using Common;

namespace InternalHost.Wan.Replay;

/// <summary>Lines of a text, ended by LF, CRLF or CR, each of bounded length: a file that is no text must not fill the memory.</summary>
[PureCore]
internal sealed class TraceLines(TextReader text)
{
    public const int Longest = 1000;

    private const char ByteOrderMark = '\uFEFF';

    private readonly char[] _buffer = new char[16 * 1024];
    private readonly char[] _line = new char[Longest + 1];
    private int _at;
    private int _filled;
    private bool _afterCr;

    /// <summary>Counted from 1.</summary>
    public long Number { get; private set; }

    /// <summary>The line last read is longer than <see cref="Longest"/>; nothing behind it can be read.</summary>
    public bool TooLong { get; private set; }

    /// <param name="line">Valid until the next call.</param>
    public bool TryRead(out ReadOnlySpan<char> line)
    {
        var length = 0;
        var any = false;
        while (!TooLong && Next() is { } c)
        {
            any = true;
            if (c is '\n' or '\r')
            {
                _afterCr = c == '\r';
                break;
            }

            _line[length++] = c;
            TooLong = length > Longest;
        }

        line = _line.AsSpan(0, Math.Min(length, Longest));
        Number += any ? 1 : 0;
        line = Number == 1 && line.StartsWith([ByteOrderMark]) ? line[1..] : line;
        return any;
    }

    private char? Next()
    {
        while (true)
        {
            if (_at == _filled)
            {
                _at = 0;
                _filled = text.Read(_buffer, 0, _buffer.Length);
                if (_filled == 0)
                {
                    return null;
                }
            }

            var c = _buffer[_at++];
            var second = _afterCr && c == '\n';
            _afterCr = false;
            if (!second)
            {
                return c;
            }
        }
    }
}
