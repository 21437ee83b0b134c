using System.Collections.Immutable;
using Common.Time;
using Microsoft.Win32.SafeHandles;

namespace Common.Logins;

/// <summary>One open file of the log and how far it has been read. Holding it open keeps its inode from being given to another.</summary>
internal sealed class FollowedFile(SafeFileHandle handle, LogPosition position) : IDisposable
{
    private const int ChunkLength = 64 * 1024;

    public LogPosition Position { get; private set; } = position;

    /// <summary>Another file has taken its name; null while it is the current one.</summary>
    public Instant? RetiredAt { get; set; }

    /// <summary>The rest of a line that is too long to be sshd's is thrown away up to its end.</summary>
    private bool _skipping;

    public bool AtEnd => RandomAccess.GetLength(handle) <= Position.Offset;

    /// <summary>Shorter than what was read, or other bytes at its end: it was truncated or written anew.</summary>
    public bool WasRewritten()
    {
        if (RandomAccess.GetLength(handle) < Position.Offset)
        {
            return true;
        }

        return !EndsWith(handle, Position);
    }

    public static bool EndsWith(SafeFileHandle file, LogPosition position)
    {
        Span<byte> there = stackalloc byte[LogPosition.TailLength];
        there = there[..position.Tail.Length];
        return ReadFully(file, there, position.Offset - there.Length) == there.Length && there.SequenceEqual(position.Tail.AsSpan());
    }

    public void Restart(long generation)
    {
        Position = Position with { Generation = generation, Offset = 0, Tail = [], BacklogEnd = 0 };
        _skipping = false;
    }

    public void PassTo(LogPosition position) => Position = position;

    /// <summary>The complete lines of the next chunk.</summary>
    public FileChunk Read()
    {
        var buffer = new byte[ChunkLength];
        var length = ReadFully(handle, buffer, Position.Offset);
        var bytes = buffer.AsSpan(0, length);
        var end = bytes.LastIndexOf((byte)'\n') + 1;
        if (end == 0)
        {
            if (length < ChunkLength)
            {
                return new FileChunk([], Position, false);   // a line is being written
            }

            _skipping = true;
            end = length;
        }

        var next = Position with { Offset = Position.Offset + end, Tail = Tail(bytes[..end]) };
        return new FileChunk(Lines(bytes[..end]), next, length == ChunkLength);
    }

    public void Dispose() => handle.Dispose();

    private ImmutableArray<byte> Tail(ReadOnlySpan<byte> read) =>
        [.. Position.Tail.AsSpan()[^Math.Clamp(LogPosition.TailLength - read.Length, 0, Position.Tail.Length)..], .. read[^Math.Min(read.Length, LogPosition.TailLength)..]];

    private List<(long Offset, string Text)> Lines(ReadOnlySpan<byte> bytes)
    {
        var lines = new List<(long, string)>();
        for (var start = 0; start < bytes.Length;)
        {
            var length = bytes[start..].IndexOf((byte)'\n');
            if (length < 0)
            {
                break;   // a chunk without any line end, being skipped
            }

            if (!_skipping)
            {
                lines.Add((Position.Offset + start, LogBytes.Decode(bytes.Slice(start, length)).TrimEnd('\r')));
            }

            _skipping = false;
            start += length + 1;
        }

        return lines;
    }

    private static int ReadFully(SafeFileHandle file, Span<byte> buffer, long offset)
    {
        var total = 0;
        while (total < buffer.Length && RandomAccess.Read(file, buffer[total..], offset + total) is var read and > 0)
        {
            total += read;
        }

        return total;
    }
}

/// <param name="Next">Where the file has been read to when these lines are kept.</param>
internal sealed record FileChunk(IReadOnlyList<(long Offset, string Text)> Lines, LogPosition Next, bool More);
