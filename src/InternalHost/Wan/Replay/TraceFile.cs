namespace InternalHost.Wan.Replay;

/// <summary>The trace cannot be played; the message says why, a line for each mistake.</summary>
internal sealed class TraceException(string message) : Exception(message);

/// <summary>
/// A world trace in a file, read twice and never held in memory: once to find every mistake, once to be played. What comes by a pipe
/// can be read only once and is kept.
/// </summary>
internal sealed class TraceFile
{
    public const string StandardInput = "-";

    private const int RowsBetweenLooks = 64 * 1024;

    private readonly Func<TextReader> _open;
    private readonly List<TraceRow>? _kept;

    private TraceFile(string name, Func<TextReader> open, bool keep, CancellationToken ct)
    {
        _open = open;
        Name = name;
        _kept = keep ? [.. Read(ct)] : null;
        Outline = TraceOutline.Of(Rows(ct));
    }

    public string Name { get; }

    public TraceOutline Outline { get; }

    /// <exception cref="TraceException">It cannot be read, or any row is bad.</exception>
    public static TraceFile Open(string path, TextReader input, CancellationToken ct)
    {
        try
        {
            return Directory.Exists(path) ? throw new TraceException($"{path}: is a folder")
                : path == StandardInput ? new TraceFile("standard input", () => input, keep: true, ct)
                : new TraceFile(path, () => new StreamReader(path), keep: !IsRegular(path), ct);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or NotSupportedException)
        {
            throw new TraceException($"{path}: {(e is FileNotFoundException or DirectoryNotFoundException ? "there is no such file" : e.Message)}");
        }
    }

    /// <summary>Every row, from the first.</summary>
    /// <exception cref="TraceException">The file is no longer what it was when it was opened.</exception>
    public IEnumerable<TraceRow> Rows(CancellationToken ct) => _kept ?? Read(ct);

    /// <summary>A named pipe gives its bytes once.</summary>
    private static bool IsRegular(string path) => new FileInfo(path) is { Exists: true, Length: > 0 };

    private IEnumerable<TraceRow> Read(CancellationToken ct)
    {
        using var text = _open();
        var reader = new TraceReader(text);
        var rows = 0;
        foreach (var row in reader.Rows())
        {
            if (++rows % RowsBetweenLooks == 0)
            {
                ct.ThrowIfCancellationRequested();
            }

            yield return row;
        }

        if (reader.ErrorCount > 0)
        {
            var rest = reader.ErrorCount - reader.Errors.Count;
            throw new TraceException(string.Join('\n', [
                .. reader.Errors.Select(e => $"{Name}: {e}"),
                .. rest > 0 ? [$"{Name}: and {rest} more"] : Array.Empty<string>()]));
        }
    }
}
