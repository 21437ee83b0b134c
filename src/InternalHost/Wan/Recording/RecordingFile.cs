using System.Globalization;
using System.Text;
using InternalHost.Wan.Replay;

namespace InternalHost.Wan.Recording;

/// <summary>
/// A recording on disk: the file that is written and the one before it, each half of the space allowed and each a whole trace. A full
/// one takes the older one's place in one rename, so that the last half is always there.
/// </summary>
internal sealed class RecordingFile
{
    public const string Name = "record.csv";
    public const string OlderName = "record.1.csv";

    private const string Header = "t_s,target,loss,rtt_ms\n";
    /// <summary>A power cut can leave more behind than half a line.</summary>
    private const int LongestTail = 1024 * 1024;

    private readonly string _path;
    private readonly string _older;
    private readonly long _half;

    public RecordingFile(string directory, long maxBytes)
    {
        _path = Path.Combine(directory, Name);
        _older = Path.Combine(directory, OlderName);
        _half = maxBytes / 2;
    }

    /// <summary>
    /// Makes what a sudden end left behind fit to be continued, and says at what trace time (ticks) it ends; null: there is nothing to
    /// continue. A file without a single row is thrown away.
    /// </summary>
    public long? Mend()
    {
        if (!File.Exists(_path))
        {
            return null;
        }

        using (var stream = new FileStream(_path, FileMode.Open, FileAccess.ReadWrite))
        {
            var tail = new byte[Math.Min(LongestTail, stream.Length)];
            stream.Seek(-tail.Length, SeekOrigin.End);
            stream.ReadExactly(tail);
            if (LastRow(tail) is { } last)
            {
                stream.SetLength(stream.Length - tail.Length + last.End);
                return last.T;
            }
        }

        File.Delete(_path);
        return null;
    }

    /// <param name="rows">In the order of time; at least one.</param>
    /// <param name="known">The rows that stand for all that was known before these: a new file begins with them.</param>
    /// <param name="restate">Rows are missing before these: what is known is said again.</param>
    public void Append(IReadOnlyList<TraceRow> rows, IReadOnlyList<TraceRow> known, bool restate, string note)
    {
        var body = Text(rows);
        var length = File.Exists(_path) ? new FileInfo(_path).Length : 0;
        if (length > 0 && length + body.Length > _half)
        {
            File.Move(_path, _older, overwrite: true);
            length = 0;
        }

        var before = length == 0 || restate ? Text(known.Select(row => row with { T = rows[0].T })) : "";
        using var stream = new FileStream(_path, new FileStreamOptions
        {
            Mode = FileMode.Append,
            Access = FileAccess.Write,
            UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite,
        });
        stream.Write(Encoding.UTF8.GetBytes($"{(length == 0 ? $"{Header}# {note}\n" : "")}{before}{body}"));
    }

    private static string Text(IEnumerable<TraceRow> rows)
    {
        var text = new StringBuilder();
        foreach (var row in rows)
        {
            var rtt = double.IsNaN(row.RttMs) ? "" : row.RttMs.ToString("0.#", CultureInfo.InvariantCulture);
            text.Append(CultureInfo.InvariantCulture, $"{row.T / (decimal)TimeSpan.TicksPerSecond:0.###},{row.Target.Word()},{row.Loss:0.###},{rtt}\n");
        }

        return text.ToString();
    }

    /// <summary>The last whole line that is a row: its time, and where it ends.</summary>
    private static (long T, int End)? LastRow(ReadOnlySpan<byte> tail)
    {
        for (var end = tail.LastIndexOf((byte)'\n'); end >= 0; end = tail[..end].LastIndexOf((byte)'\n'))
        {
            var line = Encoding.UTF8.GetString(tail[(tail[..end].LastIndexOf((byte)'\n') + 1)..end]);
            if (line.Split(',') is [var t, _, _, _]
                && decimal.TryParse(t, NumberStyles.Float, CultureInfo.InvariantCulture, out var seconds) && seconds is >= 0 and < 100_000_000_000m)
            {
                return ((long)(seconds * TimeSpan.TicksPerSecond), end + 1);
            }
        }

        return null;
    }
}
