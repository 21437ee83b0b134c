using System.Collections.Immutable;

namespace Common.Logins.Spool;

/// <summary>What lies in the spool, oldest first, and is not yet kept: <see cref="HookSpool.Passed"/> when it is.</summary>
/// <param name="Read">Files of <paramref name="Events"/>.</param>
/// <param name="Rejected">Files that are no events: name and why.</param>
/// <param name="More">There is more than one batch holds.</param>
internal sealed record SpoolBatch(
    ImmutableArray<HookEvent> Events, ImmutableArray<string> Read, ImmutableArray<(string Path, string Why)> Rejected, bool More)
{
    public static readonly SpoolBatch Empty = new([], [], [], false);

    public bool IsEmpty => Read.IsEmpty && Rejected.IsEmpty;

    /// <summary>In words for the owner; null: nothing is missing.</summary>
    public string? Gap => Rejected switch
    {
        [] => null,
        [var one] => $"1 event may be missing: the hook's spool has a file that is {one.Why}",
        [var first, ..] => $"{Rejected.Length} events may be missing: the hook's spool has files that are none, the first {first.Why}",
    };
}
