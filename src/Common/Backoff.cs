namespace Common;

/// <summary>Full-jitter exponential delay: uniform in [0, min(cap, first * 2^failures)]. Pure; the jitter comes with the event.</summary>
public readonly record struct Backoff(TimeSpan First, TimeSpan Cap)
{
    /// <param name="failures">Consecutive failures so far, 0 for the first retry.</param>
    /// <param name="jitter">Uniform in [0, 1).</param>
    public TimeSpan Delay(int failures, double jitter)
    {
        var ceiling = Math.Min(Cap.TotalSeconds, First.TotalSeconds * Math.Pow(2, Math.Min(failures, 30)));
        return TimeSpan.FromSeconds(ceiling * jitter);
    }
}
