namespace Common.Net;

/// <summary>
/// Several ways to one end, tried overlapping (as RFC 8305 section 5 does with addresses): the next begins when the last has failed
/// or <c>interval</c> has passed, the first to succeed wins, the others are cancelled and waited for.
/// </summary>
internal static class Staggered
{
    /// <param name="discard">For what a loser brought although it was told to stop.</param>
    /// <exception cref="AggregateException">Each has failed; the inner exceptions in the order of failing.</exception>
    public static async Task<(int Index, T Value)> FirstAsync<T>(
        IReadOnlyList<Func<CancellationToken, Task<T>>> attempts, TimeSpan interval, TimeProvider time, Action<T>? discard, CancellationToken ct)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(ct);
        var running = new List<Task<T>>();
        var begun = new List<Task<T>>();
        var failures = new List<Exception>();
        try
        {
            Task pause = Task.CompletedTask;
            while (running.Count > 0 || begun.Count < attempts.Count)
            {
                ct.ThrowIfCancellationRequested();
                if (pause.IsCompleted && begun.Count < attempts.Count)
                {
                    begun.Add(attempts[begun.Count](stop.Token));
                    running.Add(begun[^1]);
                    pause = Task.Delay(interval, time, stop.Token);
                }

                var ended = await Task.WhenAny(begun.Count < attempts.Count ? [.. running, pause] : running);
                if (ended is Task<T> attempt)
                {
                    running.Remove(attempt);
                    if (attempt.IsCompletedSuccessfully)
                    {
                        return (begun.IndexOf(attempt), await attempt);
                    }

                    failures.Add(attempt.Exception?.InnerException ?? new OperationCanceledException());
                    pause = Task.CompletedTask;
                }
            }
        }
        finally
        {
            await stop.CancelAsync();
            foreach (var loser in running)
            {
                await EndAsync(loser, discard);
            }
        }

        ct.ThrowIfCancellationRequested();
        throw new AggregateException(failures);
    }

    private static async Task EndAsync<T>(Task<T> loser, Action<T>? discard)
    {
        // It lost: how it ended interests nobody, but what it brought must be let go.
        await ((Task)loser).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (loser.IsCompletedSuccessfully)
        {
            discard?.Invoke(await loser);
        }
    }
}
