namespace Testing;

/// <summary>
/// A clock that the test moves. Timers fire in due order, on the thread that calls <see cref="Advance"/>; the wall clock can be set
/// apart from the monotonic one, as on a Pi without a battery clock.
/// </summary>
public sealed class FakeTime : TimeProvider
{
    private readonly Lock _gate = new();
    private readonly List<FakeTimer> _timers = [];
    private TimeSpan _elapsed = TimeSpan.FromHours(1);
    private TimeSpan _wallOffset = TimeSpan.Zero;

    public static readonly DateTimeOffset Epoch = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    public override long GetTimestamp()
    {
        lock (_gate)
        {
            return _elapsed.Ticks;
        }
    }

    public override DateTimeOffset GetUtcNow()
    {
        lock (_gate)
        {
            return Epoch + _elapsed + _wallOffset;
        }
    }

    /// <summary>Steps the wall clock only; monotonic time does not notice.</summary>
    public void StepWallClock(TimeSpan by)
    {
        lock (_gate)
        {
            _wallOffset += by;
        }
    }

    /// <summary>Moves time on, firing each timer at its own moment.</summary>
    public void Advance(TimeSpan by)
    {
        TimeSpan end;
        lock (_gate)
        {
            end = _elapsed + by;
        }

        while (true)
        {
            FakeTimer? due;
            lock (_gate)
            {
                due = _timers.Where(t => t.Due <= end).MinBy(t => t.Due);
                if (due is null)
                {
                    _elapsed = end;
                    return;
                }

                _elapsed = due.Due > _elapsed ? due.Due : _elapsed;
                due.Rearm(_elapsed, _timers);
            }

            due.Fire();
        }
    }

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var timer = new FakeTimer(this, callback, state);
        timer.Change(dueTime, period);
        return timer;
    }

    private sealed class FakeTimer(FakeTime owner, TimerCallback callback, object? state) : ITimer
    {
        private TimeSpan _period;

        public TimeSpan Due { get; private set; }

        public void Fire() => callback(state);

        public void Rearm(TimeSpan now, List<FakeTimer> timers)
        {
            if (_period == Timeout.InfiniteTimeSpan || _period == TimeSpan.Zero)
            {
                timers.Remove(this);
            }
            else
            {
                Due = now + _period;
            }
        }

        public bool Change(TimeSpan dueTime, TimeSpan period)
        {
            var now = false;
            lock (owner._gate)
            {
                owner._timers.Remove(this);
                _period = period;
                if (dueTime == Timeout.InfiniteTimeSpan)
                {
                    return true;
                }

                Due = owner._elapsed + dueTime;
                now = dueTime == TimeSpan.Zero && (period == Timeout.InfiniteTimeSpan || period == TimeSpan.Zero);
                if (!now)
                {
                    owner._timers.Add(this);
                }
            }

            if (now)
            {
                Fire();
            }

            return true;
        }

        public void Dispose()
        {
            lock (owner._gate)
            {
                owner._timers.Remove(this);
            }
        }

        public ValueTask DisposeAsync()
        {
            Dispose();
            return ValueTask.CompletedTask;
        }
    }
}
