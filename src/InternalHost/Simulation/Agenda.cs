using Common.Time;

namespace InternalHost.Simulation;

/// <summary>
/// The world's time and what is to come, in a fixed order. <see cref="Now"/> counts only what has been lived; quiet stretches that
/// were skipped are added in <see cref="Calendar"/>.
/// </summary>
internal sealed class Agenda
{
    private readonly PriorityQueue<(Action Action, Life? Life), (long Due, long Order)> _queue = new();
    private long _order;

    public static readonly Instant Origin = new(TimeSpan.FromDays(1).Ticks);

    public Instant Now { get; private set; } = Origin;

    public TimeSpan Skipped { get; private set; }

    /// <summary>Time since the world began, skipped stretches included.</summary>
    public TimeSpan Calendar => Now - Origin + Skipped;

    public Instant NextAt => _queue.TryPeek(out _, out var key) ? new(key.Due) : Instant.Never;

    public void MoveTo(Instant at) => Now = Instant.Max(Now, at);

    public void Skip(TimeSpan by) => Skipped += by;

    /// <param name="life">Whose doing it is: dropped when that process is dead, put off while it is stalled. Null: the world's.</param>
    public void At(Instant due, Action action, Life? life = null)
    {
        if (due != Instant.Never)
        {
            _queue.Enqueue((action, life), (Instant.Max(due, Now).Ticks, _order++));
        }
    }

    public void After(TimeSpan delay, Action action, Life? life = null) => At(Now + delay, action, life);

    /// <summary>False: whose doing it was is dead or stalled, and nothing was done.</summary>
    public bool RunNext()
    {
        if (!_queue.TryDequeue(out var next, out var key) || next.Life is { Alive: false })
        {
            return false;
        }

        if (next.Life is { } life && life.StalledUntil > Now)
        {
            _queue.Enqueue(next, (life.StalledUntil.Ticks, key.Order));
            return false;
        }

        next.Action();
        return true;
    }
}

/// <summary>One life of the daemon, from its start to its kill.</summary>
internal sealed class Life
{
    public bool Alive { get; set; } = true;

    /// <summary>The machine gives it no time before this.</summary>
    public Instant StalledUntil { get; set; }
}
