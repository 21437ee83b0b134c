namespace InternalHost.Tunnel;

/// <summary>The last words of one ssh, and how far they say it came. Written by the pipe's reader, read by whoever asks why.</summary>
internal sealed class SshLog
{
    /// <summary>A refused login says about 70 lines at debug1; what ends a connection is among the last few.</summary>
    private const int Kept = 120;

    private readonly Lock _gate = new();
    private readonly Queue<string> _lines = new();
    private SshPhase _phase = SshPhase.Starting;
    private long _count;

    public SshPhase Phase
    {
        get
        {
            lock (_gate)
            {
                return _phase;
            }
        }
    }

    /// <summary>How many lines have come so far: a mark to read from later.</summary>
    public long Mark
    {
        get
        {
            lock (_gate)
            {
                return _count;
            }
        }
    }

    public void Add(string line)
    {
        lock (_gate)
        {
            _phase = SshStderr.Advance(_phase, line);
            _count++;
            _lines.Enqueue(line);
            if (_lines.Count > Kept)
            {
                _lines.Dequeue();
            }
        }
    }

    public void Reached(SshPhase phase)
    {
        lock (_gate)
        {
            _phase = phase > _phase ? phase : _phase;
        }
    }

    /// <summary>The lines after <paramref name="mark"/> that are still kept.</summary>
    public IReadOnlyList<string> Since(long mark)
    {
        lock (_gate)
        {
            return [.. _lines.Skip((int)Math.Max(0, _lines.Count - (_count - mark)))];
        }
    }

    public IReadOnlyList<string> All() => Since(0);
}
