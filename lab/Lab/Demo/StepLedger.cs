namespace Lab.Demo;

/// <param name="Seconds">How long it took; null: it was never reached.</param>
internal sealed record StepResult(string Name, bool Ok, double? Seconds, string? Why = null);

/// <summary>The steps of the story. Each is named beforehand, so that one that was never reached counts as failed.</summary>
internal sealed class StepLedger(Timeline timeline, params IReadOnlyList<string> names)
{
    private readonly Dictionary<string, StepResult> _done = [];

    public IReadOnlyList<StepResult> Results =>
        [.. names.Select(n => _done.GetValueOrDefault(n) ?? new StepResult(n, false, null, "not reached"))];

    public bool AllOk => Results.All(r => r.Ok);

    /// <summary>Runs one step; what it throws as <see cref="StepFailedException"/> or a timeout is its failure, and ends the story.</summary>
    public async Task<T> RunAsync<T>(string name, string waitingFor, TimeSpan limit, Func<CancellationToken, Task<T>> step, CancellationToken ct)
    {
        var started = timeline.Now;
        timeline.WaitingFor(waitingFor);
        using var limited = CancellationTokenSource.CreateLinkedTokenSource(ct);
        limited.CancelAfter(limit);
        try
        {
            var result = await step(limited.Token);
            _done[name] = new StepResult(name, true, timeline.Now - started);
            return result;
        }
        catch (OperationCanceledException) when (!ct.IsCancellationRequested)
        {
            throw Fail(name, started, $"{waitingFor}: not within {limit.TotalSeconds:F0} s");
        }
        catch (StepFailedException e)
        {
            throw Fail(name, started, e.Message);
        }
        catch (Exception e) when (e is not OperationCanceledException and not MissingException)
        {
            // Whatever it was, the story ends here, and says where.
            throw Fail(name, started, $"{e.GetType().Name}: {e.Message}");
        }
        finally
        {
            timeline.WaitingFor(null);
        }
    }

    public Task RunAsync(string name, string waitingFor, TimeSpan limit, Func<CancellationToken, Task> step, CancellationToken ct) =>
        RunAsync(name, waitingFor, limit, async token =>
        {
            await step(token);
            return true;
        }, ct);

    private StoryEndedException Fail(string name, double started, string why)
    {
        _done[name] = new StepResult(name, false, timeline.Now - started, why);
        timeline.Wrong($"{name}: {why}");
        return new StoryEndedException();
    }
}

/// <summary>A step's own check did not hold.</summary>
internal sealed class StepFailedException(string message) : Exception(message);

/// <summary>A step has failed and was told; there is nothing to go on with.</summary>
internal sealed class StoryEndedException() : Exception("a step failed");

/// <summary>The machine lacks something.</summary>
internal sealed class MissingException(string message) : Exception(message);
