using System.Text;

namespace Common.Processes;

/// <summary>Reads a child's pipe to its end, whatever comes: the rest of an overlong line is dropped, never kept and never left in the pipe.</summary>
internal static class LinePump
{
    /// <summary>Longest line handed on, in bytes.</summary>
    public const int LineCap = 4096;

    public static async Task RunAsync(Stream pipe, Action<string> onLine)
    {
        var line = new LineBuffer(onLine);
        var block = new byte[LineCap];
        try
        {
            while (await pipe.ReadAsync(block) is var read and > 0)
            {
                line.Take(block.AsSpan(0, read));
            }
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException)
        {
            // The pipe was closed under us: the child has ended and a grandchild held the other end.
        }

        line.Flush();
    }

    private sealed class LineBuffer(Action<string> onLine)
    {
        private readonly byte[] _bytes = new byte[LineCap];
        private int _length;
        private bool _any;

        public void Take(ReadOnlySpan<byte> block)
        {
            while (block.IndexOf((byte)'\n') is var end and >= 0)
            {
                Append(block[..end]);
                _any = true;
                Flush();
                block = block[(end + 1)..];
            }

            Append(block);
        }

        public void Flush()
        {
            if (!_any)
            {
                return;
            }

            var line = _bytes.AsSpan(0, _length).TrimEnd((byte)'\r');
            (_length, _any) = (0, false);
            onLine(Encoding.UTF8.GetString(line));
        }

        private void Append(ReadOnlySpan<byte> part)
        {
            var room = Math.Min(part.Length, LineCap - _length);
            part[..room].CopyTo(_bytes.AsSpan(_length));
            _length += room;
            _any |= !part.IsEmpty;
        }
    }
}
