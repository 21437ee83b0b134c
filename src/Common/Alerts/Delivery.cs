using System.Collections.Immutable;
using Common.Time;

namespace Common.Alerts;

/// <summary>Where one message to one recipient by one channel stands. Stored: numbers are fixed; from 7 on nothing more happens.</summary>
public enum DeliveryPhase
{
    Unknown = 0,

    /// <summary>Waits for the channels before it in its person's order.</summary>
    Held = 1,

    /// <summary>To be sent. The request has certainly not left.</summary>
    Pending = 2,

    /// <summary>Written before the request leaves.</summary>
    Sending = 3,

    /// <summary>It may have been sent: the gateway is asked before anything else, where it can be (<see cref="Repetition"/>).</summary>
    Doubtful = 4,

    /// <summary>The gateway has it.</summary>
    Sent = 5,

    /// <summary>The gateway has it and says nothing: the next channel's turn, and still asked now and then.</summary>
    Unconfirmed = 6,
    Confirmed = 7,

    /// <summary>A dead letter: shown to the owner with its reason.</summary>
    Dead = 8,

    /// <summary>The person was told by another channel first.</summary>
    NotNeeded = 9,
}

public sealed record DeliveryKey(string AlertId, string Channel, string Recipient);

/// <summary>One message to one recipient by one channel; moved on by <see cref="DeliveryMachine"/>.</summary>
/// <param name="Person">Whom it is for: the channels of one person are tried in the order of <paramref name="Rank"/>.</param>
/// <param name="Always">Sent even when the person has been told already (critical: two channels at once).</param>
/// <param name="HasPlain">The alert has a plainer text to fall back on.</param>
public sealed record Delivery(DeliveryKey Key, string Person, int Rank, bool Always, bool HasPlain)
{
    public required DeliveryPhase Phase { get; init; }

    /// <summary>Of its channel as it is configured now; not stored.</summary>
    public Repetition Repetition { get; init; } = Repetition.AfterALook;

    /// <summary>When something is to be done next; <see cref="Instant.Never"/> while an answer is awaited.</summary>
    public Instant Due { get; init; }

    /// <summary>When its turn came.</summary>
    public Instant Since { get; init; }

    /// <summary>Quiet hours: nothing is done before, and nothing waits for it.</summary>
    public Instant RestsUntil { get; init; }

    public Instant AcceptedAt { get; init; }

    /// <summary>Counts the questions asked; answers carry it.</summary>
    public int Run { get; init; }

    /// <summary>"Not now" and questions without answer, in a row.</summary>
    public int Failures { get; init; }

    /// <summary>Sendings whose outcome was unclear.</summary>
    public int Doubts { get; init; }

    /// <summary>Looks in a row that found nothing.</summary>
    public int Misses { get; init; }
    public int Polls { get; init; }

    /// <summary>Times it was sent again after the gateway said that it had failed.</summary>
    public int Resends { get; init; }
    public bool SaidPlain { get; init; }

    /// <summary>The gateway's name for the latest accepted message, also when that one has failed since.</summary>
    public string? ProviderId { get; init; }
    public string? Code { get; init; }
    public string? Reason { get; init; }

    public bool IsSettled => Phase >= DeliveryPhase.Confirmed;

    /// <summary>Not yet with the gateway.</summary>
    public bool IsUnsent => Phase is DeliveryPhase.Pending or DeliveryPhase.Sending or DeliveryPhase.Doubtful;

    public bool IsResting(Instant now) => RestsUntil > now;

    /// <summary>Somebody still waits for this one: a drain does.</summary>
    public bool IsAwaited => IsUnsent || Phase == DeliveryPhase.Sent;

    public bool IsAsking => !IsSettled && Phase != DeliveryPhase.Held && Due == Instant.Never;

    /// <summary>What must be on disk before the next thing happens; times and counters are of this run of the program only.</summary>
    public bool SameOnDisk(Delivery other) => Phase == other.Phase && ProviderId == other.ProviderId && Code == other.Code
        && Reason == other.Reason && SaidPlain == other.SaidPlain && Resends == other.Resends;
}

/// <summary>Numbers of the delivery. All times are monotonic.</summary>
public sealed record DeliveryPolicy
{
    public static readonly DeliveryPolicy Default = new();

    /// <summary>Gaps between questions about an accepted message; the last one repeats. A text usually arrives within 5 s.</summary>
    public ImmutableArray<TimeSpan> PollGaps { get; init; } = Seconds(2, 5, 10, 20, 30);

    public TimeSpan UnconfirmedAfter { get; init; } = TimeSpan.FromMinutes(3);

    public TimeSpan SlowPoll { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>Longer than any gateway keeps a message (Twilio: 10 h at most).</summary>
    public TimeSpan GiveUpAfter { get; init; } = TimeSpan.FromHours(12);

    /// <summary>The next channel's turn comes when this one has confirmed nothing by then; this one goes on.</summary>
    public TimeSpan EscalateAfter { get; init; } = TimeSpan.FromSeconds(60);

    public Backoff Retry { get; init; } = new(TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(60));

    /// <summary>Full jitter may draw nothing at all; a loop needs a floor.</summary>
    public TimeSpan RetryFloor { get; init; } = TimeSpan.FromMilliseconds(500);

    /// <summary>A gateway that asks for more than this is asked again anyway.</summary>
    public TimeSpan LongestRetryAfter { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>
    /// When to look for a message that may have been accepted. A request whose answer was lost may still be on its way into the
    /// gateway's list: only the last of these looks, finding nothing, allows another sending.
    /// </summary>
    public ImmutableArray<TimeSpan> Looks { get; init; } = Seconds(2, 8);

    /// <summary>
    /// After an unclear sending by a channel that nobody can ask, when the reader would see a second one. The last one repeats: a
    /// gateway that takes everything and answers nonsense must not make a flood of one message.
    /// </summary>
    public ImmutableArray<TimeSpan> RepeatGaps { get; init; } = Seconds(5, 60, 600, 3600);

    public ImmutableArray<TimeSpan> ResendGaps { get; init; } = Seconds(60, 300, 900);

    /// <summary>A message that was unclear this often no longer holds up the ones behind it.</summary>
    public int DoubtsBeforeYielding { get; init; } = 3;

    /// <summary>No answer by then is no answer; an adapter's own timeouts are shorter.</summary>
    public TimeSpan RequestTimeout { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>A request under way when the program stops is better finished than looked for at the next start.</summary>
    public TimeSpan StopGrace { get; init; } = TimeSpan.FromSeconds(5);

    private static ImmutableArray<TimeSpan> Seconds(params ReadOnlySpan<int> seconds)
    {
        var spans = ImmutableArray.CreateBuilder<TimeSpan>(seconds.Length);
        foreach (var s in seconds)
        {
            spans.Add(TimeSpan.FromSeconds(s));
        }

        return spans.MoveToImmutable();
    }
}
