using System.Collections.Concurrent;
using System.Net;

namespace Lab.World;

/// <summary>
/// From which source addresses a server hears nothing: how the far end of a cut uplink looks when the link itself is loopback.
/// A cut drops in silence; it never refuses.
/// </summary>
public sealed class Silence
{
    private readonly ConcurrentDictionary<IPAddress, TaskCompletionSource> _cut = new();

    public void Cut(IPAddress source) => _cut.TryAdd(source, new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));

    public void Restore(IPAddress source)
    {
        if (_cut.TryRemove(source, out var end))
        {
            end.TrySetResult();
        }
    }

    public bool Covers(IPAddress? source) => source is not null && _cut.ContainsKey(Plain(source));

    /// <summary>Completes when packets from <paramref name="source"/> would arrive again.</summary>
    public Task EndAsync(IPAddress? source, CancellationToken ct) =>
        source is not null && _cut.TryGetValue(Plain(source), out var end) ? end.Task.WaitAsync(ct) : Task.CompletedTask;

    private static IPAddress Plain(IPAddress address) => address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address;
}
