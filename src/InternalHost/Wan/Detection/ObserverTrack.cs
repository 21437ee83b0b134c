using Common;
using Common.Time;

namespace InternalHost.Wan.Detection;

/// <summary>What an observer last said of the primary.</summary>
internal enum Sight
{
    /// <summary>Nothing, or too long ago: no data is never "up".</summary>
    None = 0,
    Up = 1,
    Down = 2,
}

/// <summary>Wiring C: what one observer has said of the primary.</summary>
[PureCore]
internal sealed class ObserverTrack(WitnessName name)
{
    /// <summary>Some readings may be lost on the way; after this they say nothing of now.</summary>
    public static readonly TimeSpan Stale = TimeSpan.FromSeconds(30);

    private static readonly TimeSpan Forgotten = TimeSpan.FromSeconds(10);

    private Instant? _asked;
    private Instant? _lastUp;
    private Instant? _lastDown;

    public WitnessTrack Witness { get; } = new(name);

    public WitnessName Name { get; } = name;

    /// <summary>Asked by the backup from outside; its address may be somebody else's by now. Weak.</summary>
    public bool IsWeak { get; } = name == WitnessName.Outside;

    public Instant NextAsk { get; private set; }

    /// <summary>Send time of the first reading "up" since the last "down".</summary>
    public Instant? UpSince { get; private set; }

    /// <summary>Send time of the first reading "down" since the last "up".</summary>
    public Instant? DownSince { get; private set; }

    public int Ups { get; private set; }

    public int Downs { get; private set; }

    public Instant? LastUp => _lastUp;

    public Sight Says(Instant now) =>
        _lastUp > now - Stale && !(_lastDown > _lastUp) ? Sight.Up
        : _lastDown > now - Stale && !(_lastUp >= _lastDown) ? Sight.Down
        : Sight.None;

    /// <summary>When what it says now ceases to count.</summary>
    public Instant? StaleAt => Later(_lastUp, _lastDown) + Stale;

    /// <summary>One question at a time: a command may take seconds.</summary>
    public bool IsDue(Instant now) => now >= NextAsk && !(_asked > now - Forgotten);

    public Instant WakeAt => _asked is { } asked ? asked + Forgotten : NextAsk;

    public void OnAsked(Instant now, TimeSpan every)
    {
        Witness.OnAsked();
        _asked = now;
        NextAsk = now + every;
    }

    public void AskSoon(Instant at) => NextAsk = Instant.Min(NextAsk, at);

    public void OnTold(bool late) => _asked = late ? _asked : null;

    public void SeeUp(Instant sent)
    {
        if (sent < _lastDown || sent < _lastUp)
        {
            return;
        }

        _lastUp = sent;
        UpSince ??= sent;
        Ups++;
        ForgetDowns();
    }

    public void SeeDown(Instant sent)
    {
        if (sent < _lastUp || sent < _lastDown)
        {
            return;
        }

        _lastDown = sent;
        DownSince ??= sent;
        Downs++;
        UpSince = null;
        Ups = 0;
    }

    public void ForgetDowns()
    {
        DownSince = null;
        Downs = 0;
    }

    /// <summary>From here on, everything anew.</summary>
    public void Forget()
    {
        ForgetDowns();
        _lastUp = _lastDown = UpSince = null;
        Ups = 0;
    }

    /// <summary>We were away: the time meanwhile counts for nobody.</summary>
    public void Shift(Instant now, TimeSpan by) => DownSince = DownSince is { } since ? Instant.Min(now, since + by) : null;

    private static Instant? Later(Instant? a, Instant? b) => a is null || b > a ? b : a;
}
