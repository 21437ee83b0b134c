using System.Collections.Immutable;
using System.Runtime.CompilerServices;

namespace InternalHost.Doctor;

/// <summary>Runs checks one after the other, each within its time, and lets none stop the rest.</summary>
/// <param name="slow">Told the name of a check that takes its time, so that nobody waits before an empty line.</param>
internal sealed class DoctorRunner(IReadOnlyList<IDoctorCheck> checks, TimeProvider time, Action<string>? slow = null)
{
    private static readonly TimeSpan SlowAfter = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan CheckLimit = TimeSpan.FromSeconds(15);

    public async IAsyncEnumerable<Finding> RunAsync([EnumeratorCancellation] CancellationToken ct)
    {
        foreach (var check in checks)
        {
            foreach (var finding in await RunOneAsync(check, ct))
            {
                yield return finding;
            }
        }
    }

    private async Task<ImmutableArray<Finding>> RunOneAsync(IDoctorCheck check, CancellationToken ct)
    {
        using var limit = new CancellationTokenSource(CheckLimit, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, ct);
        try
        {
            await using var patience = time.CreateTimer(_ => slow?.Invoke(check.Name), null, SlowAfter, Timeout.InfiniteTimeSpan);
            return await check.RunAsync(either.Token).WaitAsync(either.Token);
        }
        catch (OperationCanceledException) when (!ct.IsCancellationRequested)
        {
            return [Finding.CannotTell(check.Name, $"no result within {CheckLimit.TotalSeconds:0} s")];
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            return [Finding.CannotTell(check.Name, $"the check itself failed: {e.GetType().Name}: {e.Message.ReplaceLineEndings(" ")}")];
        }
    }
}
