using InternalHost.Cloud.Local;

namespace Lab.Demo;

/// <summary>Follows the provider's own record: what really happened to the VM, whatever the controller believes.</summary>
internal sealed class ProviderWatch(string logFile, TimeProvider time)
{
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(50);

    public IReadOnlyList<ProviderLogEntry> All => [.. ProviderLog.Read(logFile)];

    public async Task<ProviderLogEntry> UntilAsync(Func<ProviderLogEntry, bool> satisfies, CancellationToken ct)
    {
        while (true)
        {
            if (All.FirstOrDefault(satisfies) is { } found)
            {
                return found;
            }

            await Task.Delay(Interval, time, ct);
        }
    }
}
