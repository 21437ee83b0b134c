using System.Collections.Immutable;
using Common;
using Common.Time;

namespace InternalHost.Tunnel;

internal enum ForwardState
{
    Unknown = 0,
    Asked = 1,
    Listening = 2,

    /// <summary>Refused, with the reason; asked for again later.</summary>
    Refused = 3,
}

/// <param name="Next">When it is asked for, or asked for again.</param>
internal sealed record ForwardEntry(RemoteForward Forward, ForwardState State, TunnelReason? Reason, int Tries, Instant Next);

/// <summary>
/// The forwards of one connection: what is wanted, what the bastion said to each, what to ask next. One that is refused never
/// disturbs another.
/// </summary>
[PureCore]
internal sealed record ForwardBook(ImmutableList<ForwardEntry> Entries, ImmutableList<RemoteForward> ToCancel)
{
    public static readonly ForwardBook Empty = new([], []);

    /// <summary>A port that is not permitted becomes so only by somebody's work on the bastion.</summary>
    private static readonly TimeSpan NotPermittedPause = TimeSpan.FromSeconds(60);

    /// <summary>A taken port is freed when the older session is ended, at first within moments.</summary>
    private static readonly TimeSpan[] Pauses =
        [TimeSpan.FromSeconds(0.2), TimeSpan.FromSeconds(0.5), TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(2), TimeSpan.FromSeconds(5)];

    /// <summary>Keeps what stays the same, cancels what listens and is no longer wanted, notes what is new. In the order given.</summary>
    public ForwardBook Want(IReadOnlyCollection<RemoteForward> wanted, Instant now) => new(
        [.. wanted.Select(forward => Entries.Find(entry => entry.Forward == forward) ?? new(forward, ForwardState.Unknown, null, 0, now))],
        ToCancel.RemoveAll(wanted.Contains)
            .AddRange(Entries.Where(entry => entry.State == ForwardState.Listening && !wanted.Contains(entry.Forward)).Select(entry => entry.Forward)));

    public ForwardEntry? Due(Instant now) => Entries.Find(entry => entry.State != ForwardState.Listening && entry.Next <= now);

    /// <summary>Never: all of them listen.</summary>
    public Instant NextDue => Entries.Where(entry => entry.State != ForwardState.Listening).Aggregate(Instant.Never, (earliest, entry) => Instant.Min(earliest, entry.Next));

    /// <param name="refused">Null: the bastion listens.</param>
    public ForwardBook Answered(RemoteForward forward, TunnelReason? refused, Instant now)
    {
        var at = Entries.FindIndex(entry => entry.Forward == forward);
        if (at < 0)
        {
            // Dropped by a reload while the question was out.
            return refused is null ? this with { ToCancel = ToCancel.Add(forward) } : this;
        }

        var tries = Entries[at].Tries + 1;
        var entry = new ForwardEntry(forward, refused is null ? ForwardState.Listening : ForwardState.Refused, refused, tries, now + Pause(refused, tries));
        return this with { Entries = Entries.SetItem(at, entry) };
    }

    public ForwardBook Cancelled(RemoteForward forward) => this with { ToCancel = ToCancel.Remove(forward) };

    private static TimeSpan Pause(TunnelReason? refused, int tries) =>
        refused == TunnelReason.ForwardNotPermitted ? NotPermittedPause : Pauses[Math.Min(tries, Pauses.Length) - 1];
}
