using System.Net;

namespace Lab.World;

/// <summary>
/// One uplink of the loopback world. Whoever sends from <see cref="Source"/> is behind it; without a source, everybody is.
/// The relays ask it what to do with each byte.
/// </summary>
public sealed class Link(string name, IPAddress? source = null)
{
    private readonly Lock _gate = new();
    private TaskCompletionSource _light = Lit();
    private bool _dark;
    private long _bytesUp;
    private long _bytesDown;

    public string Name { get; } = name;

    public IPAddress? Source { get; } = source;

    /// <summary>From the inside to the world.</summary>
    public Pacer Up { get; } = new();

    /// <summary>From the world to the inside.</summary>
    public Pacer Down { get; } = new();

    /// <summary>Added to each chunk, in each direction.</summary>
    public TimeSpan Delay { get; set; }

    /// <summary>Payload carried so far (headers are not seen here).</summary>
    public long BytesUp => Interlocked.Read(ref _bytesUp);

    public long BytesDown => Interlocked.Read(ref _bytesDown);

    /// <summary>Raised after <see cref="Dark"/> has changed, on the thread that changed it.</summary>
    public event EventHandler? Changed;

    /// <summary>A dark link swallows everything, both ways; nothing is closed, and nobody is told.</summary>
    public bool Dark
    {
        get => Volatile.Read(ref _dark);
        set
        {
            lock (_gate)
            {
                if (_dark == value)
                {
                    return;
                }

                Volatile.Write(ref _dark, value);
                if (value)
                {
                    _light = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
                }
                else
                {
                    _light.TrySetResult();
                }
            }

            Changed?.Invoke(this, EventArgs.Empty);
        }
    }

    public Task WhenLightAsync(CancellationToken ct)
    {
        lock (_gate)
        {
            return _light.Task.WaitAsync(ct);
        }
    }

    /// <summary>Both ways; 0 takes the limit away.</summary>
    public void Limit(long bitsPerSecond)
    {
        Up.BitsPerSecond = bitsPerSecond;
        Down.BitsPerSecond = bitsPerSecond;
    }

    internal void Count(bool up, int bytes) => Interlocked.Add(ref up ? ref _bytesUp : ref _bytesDown, bytes);

    private static TaskCompletionSource Lit()
    {
        var lit = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        lit.SetResult();
        return lit;
    }
}

/// <summary>The wire in one direction: one chunk after the other, each as long as the rate says. Shared by all connections of a link.</summary>
public sealed class Pacer
{
    private readonly Lock _gate = new();
    private long _freeAt;

    public long BitsPerSecond { get; set; }

    /// <summary>Puts a chunk on the wire; returns how long from now until its last bit has left it.</summary>
    internal TimeSpan Reserve(int bytes)
    {
        var time = TimeProvider.System;
        var now = time.GetTimestamp();
        var rate = BitsPerSecond;
        if (rate <= 0)
        {
            return TimeSpan.Zero;
        }

        lock (_gate)
        {
            _freeAt = Math.Max(now, _freeAt) + (bytes * 8L * time.TimestampFrequency / rate);
            return time.GetElapsedTime(now, _freeAt);
        }
    }
}

/// <summary>The links of one world, told apart by the source address.</summary>
public sealed class Links(params IReadOnlyList<Link> links)
{
    public IReadOnlyList<Link> All { get; } = links;

    /// <summary>Null: this source is not behind any of our links (the owner's laptop), and is never hindered.</summary>
    public Link? For(IPAddress source) => All.FirstOrDefault(l => l.Source is null || l.Source.Equals(source));
}
