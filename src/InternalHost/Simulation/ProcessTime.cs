using Common.Time;

namespace InternalHost.Simulation;

/// <summary>
/// What one life of the daemon knows of time: the monotonic clock of this boot, a wall clock that may be wrong by years, and timers
/// that die with the process. Everything runs on the thread that lives the world.
/// </summary>
/// <param name="origin">When the machine booted: its monotonic clock began there.</param>
/// <param name="wallOffset">How wrong the wall clock is now.</param>
internal sealed class ProcessTime(Agenda agenda, Life life, Instant origin, Func<TimeSpan> wallOffset) : TimeProvider
{
    private static readonly DateTimeOffset Epoch = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    public override TimeZoneInfo LocalTimeZone => TimeZoneInfo.Utc;

    public override long GetTimestamp() => (agenda.Now - origin).Ticks;

    public override DateTimeOffset GetUtcNow() => Epoch + agenda.Calendar + wallOffset();

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var timer = new Timer(this, callback, state);
        timer.Change(dueTime, period);
        return timer;
    }

    private sealed class Timer(ProcessTime owner, TimerCallback callback, object? state) : ITimer
    {
        private int _version;

        public bool Change(TimeSpan dueTime, TimeSpan period)
        {
            var version = ++_version;
            if (dueTime != Timeout.InfiniteTimeSpan)
            {
                owner.Arm(this, version, dueTime, period);
            }

            return true;
        }

        public void Fire(int version, TimeSpan period)
        {
            if (version != _version)
            {
                return;
            }

            callback(state);
            if (period > TimeSpan.Zero && version == _version)
            {
                owner.Arm(this, version, period, period);
            }
        }

        public void Dispose() => _version++;

        public ValueTask DisposeAsync()
        {
            Dispose();
            return ValueTask.CompletedTask;
        }
    }

    private void Arm(Timer timer, int version, TimeSpan due, TimeSpan period) => agenda.After(due, () => timer.Fire(version, period), life);
}
