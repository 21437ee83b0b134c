using System.Collections.Immutable;
using Common.Time;

namespace Common.Alerts;

/// <summary>A channel that is out of order until somebody acts, or it for one recipient.</summary>
/// <param name="Recipient">Null: for all.</param>
/// <param name="Trial">When it is tried again by itself.</param>
public sealed record RefusedLane(string Channel, string? Recipient, string Code, string Reason, Instant Since, Instant Trial);

/// <summary>
/// Which channels were refused for good. They are not tried for each alert that can go another way; once an hour, at the start, and
/// when the owner tests them, they are.
/// </summary>
[PureCore]
public sealed record RefusedLanes(ImmutableArray<RefusedLane> All)
{
    public static readonly RefusedLanes None = new([]);

    private static readonly TimeSpan TrialEvery = TimeSpan.FromHours(1);

    public RefusedLane? Find(DeliveryKey key) => All.FirstOrDefault(l => l.Channel == key.Channel && (l.Recipient is null || l.Recipient == key.Recipient));

    /// <summary>Not to be tried now.</summary>
    public bool Bars(DeliveryKey key, Instant now) => Find(key) is { } lane && now < lane.Trial;

    /// <summary>What an answer says of the channel.</summary>
    public RefusedLanes Hear(DeliveryKey key, DeliveryEvent answer) => answer switch
    {
        DeliveryEvent.SendAnswered { Outcome: SendOutcome.Refused r } => Refuse(key, r.Scope, r.Code, r.Reason, answer.At),
        DeliveryEvent.StatusSeen { Status: { State: DeliveryState.Failed, Cure: FailureCure.None } s } => Refuse(key, s.Scope, s.Code ?? "", s.Reason ?? "", answer.At),
        DeliveryEvent.SendAnswered { Outcome: SendOutcome.Handed } or DeliveryEvent.StatusSeen { Status.State: DeliveryState.Delivered } => Forget(key),
        _ => this,
    };

    /// <summary>The owner wants to know: what stood against this channel is forgotten.</summary>
    public RefusedLanes Reopen(string channel) => new(All.RemoveAll(l => l.Channel == channel));

    /// <summary>One delivery tries it now: the others wait for what becomes of that.</summary>
    public RefusedLanes Try(DeliveryKey key, Instant now) =>
        Find(key) is { } lane ? new(All.Replace(lane, lane with { Trial = now + TrialEvery })) : this;

    private RefusedLanes Refuse(DeliveryKey key, RefusalScope scope, string code, string reason, Instant at)
    {
        if (scope is not (RefusalScope.Channel or RefusalScope.Recipient))
        {
            return this;
        }

        var recipient = scope == RefusalScope.Recipient ? key.Recipient : null;
        var known = All.FirstOrDefault(l => l.Channel == key.Channel && l.Recipient == recipient);
        var lane = new RefusedLane(key.Channel, recipient, code, reason, known?.Since ?? at, at + TrialEvery);
        return new(known is null ? All.Add(lane) : All.Replace(known, lane));
    }

    private RefusedLanes Forget(DeliveryKey key) => new(All.RemoveAll(l => l.Channel == key.Channel && (l.Recipient is null || l.Recipient == key.Recipient)));
}
