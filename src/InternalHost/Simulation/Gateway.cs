using Common.Alerts;
using Common.Time;

namespace InternalHost.Simulation;

/// <summary>The SMS gateway's truth: what it has accepted, and what reached a phone.</summary>
internal sealed class Gateway
{
    private int _made;

    public Dictionary<string, Text> ById { get; } = new(StringComparer.Ordinal);

    /// <summary>Newest last; those of old outages are forgotten.</summary>
    public List<Text> Accepted { get; } = [];

    public Text Accept(OutgoingMessage message, Instant at, Instant delivered)
    {
        var text = new Text($"SM{++_made}", message, at, delivered);
        Accepted.Add(text);
        ById.Add(text.ProviderId, text);
        return text;
    }

    public void Forget(Instant before)
    {
        Accepted.RemoveAll(t => t.At < before);
        foreach (var old in ById.Values.Where(t => t.At < before).ToList())
        {
            ById.Remove(old.ProviderId);
        }
    }

    /// <param name="DeliveredAt">When the phone has it; Never: the gateway never hears of it again.</param>
    internal sealed record Text(string ProviderId, OutgoingMessage Message, Instant At, Instant DeliveredAt)
    {
        /// <summary>The phone was off: said to the outbox when it asks, which may then send again.</summary>
        public bool Failed { get; set; }
    }
}

/// <summary>The gateway as one life's outbox sees it.</summary>
internal sealed class GatewayChannel(World world, Life life) : ITrackedChannel
{
    public string Name => "sms";

    public Repetition Repetition => Repetition.AfterALook;

    public Task<SendOutcome> SendAsync(OutgoingMessage message, CancellationToken ct)
    {
        if (!world.Reaches || world.Is(FaultKind.GatewayDead))
        {
            return Later<SendOutcome>(world.Streams.Gateway.Seconds(0.5, 10), () => new SendOutcome.NotNow("gateway cannot be reached", null), ct);
        }

        if (world.Guillotine.Falls(Cut.BeforeSend))
        {
            return Never<SendOutcome>(ct);
        }

        var (there, back) = (world.Streams.Gateway.Seconds(0.03, 0.3), world.Streams.Gateway.Seconds(0.05, 0.8));
        var lostThere = world.Is(FaultKind.GatewayLosesRequests) && world.Streams.Gateway.Hit(0.6);
        var lostBack = world.Is(FaultKind.GatewayLosesReplies) && world.Streams.Gateway.Hit(0.6);
        var answer = new TaskCompletionSource<SendOutcome>();
        _ = ct.Register(() => answer.TrySetCanceled(ct));
        world.Agenda.After(there, Arrive);
        return answer.Task;

        void Arrive()
        {
            SendOutcome outcome;
            if (lostThere)
            {
                outcome = new SendOutcome.Unclear("connection broke");
            }
            else if (world.Is(FaultKind.GatewayBusy) && world.Streams.Gateway.Hit(0.7))
            {
                outcome = new SendOutcome.NotNow("20429: slow down", world.Streams.Gateway.Seconds(1, 40));
            }
            else if (world.Is(FaultKind.GatewayRefuses))
            {
                outcome = new SendOutcome.Refused("21610", "opted out");
            }
            else
            {
                var silent = world.Is(FaultKind.GatewayNeverConfirms);
                var text = world.Gateway.Accept(message, world.Now, silent ? Instant.Never : world.Now + world.Streams.Gateway.Seconds(1, 20));
                text.Failed = world.Is(FaultKind.PhoneOff);
                world.Invariants.Accepted(text);
                outcome = lostBack ? new SendOutcome.Unclear("the reply was lost") : new SendOutcome.Accepted(text.ProviderId);
                if (world.Guillotine.Falls(Cut.AfterSend))
                {
                    return;
                }
            }

            world.Agenda.After(back, () => answer.TrySetResult(outcome), life);
        }
    }

    public Task<DeliveryStatus> QueryAsync(string providerId, CancellationToken ct) => Ask(
        () => world.Gateway.ById.TryGetValue(providerId, out var text) switch
        {
            true when text!.Failed => new DeliveryStatus(DeliveryState.Failed, "30003", "the phone is off", FailureCure.Later),
            true when text!.DeliveredAt <= world.Now => new DeliveryStatus(DeliveryState.Delivered),
            _ => new DeliveryStatus(DeliveryState.Underway),
        },
        ct);

    public Task<string?> FindAsync(OutgoingMessage message, CancellationToken ct) => Ask(
        // What was accepted a moment ago is not in the list yet.
        () => world.Gateway.Accepted.FindLast(t => t.Message == message && t.At <= world.Now - TimeSpan.FromSeconds(3))?.ProviderId,
        ct);

    private Task<T> Ask<T>(Func<T> answer, CancellationToken ct) => !world.Reaches || world.Is(FaultKind.GatewayDead)
        ? Later<T>(world.Streams.Gateway.Seconds(0.5, 10), () => throw new HttpRequestException("gateway cannot be reached"), ct)
        : Later(world.Streams.Gateway.Seconds(0.05, 0.6), answer, ct);

    private Task<T> Later<T>(TimeSpan after, Func<T> make, CancellationToken ct)
    {
        var answer = new TaskCompletionSource<T>();
        _ = ct.Register(() => answer.TrySetCanceled(ct));
        world.Agenda.After(after, Answer, life);
        return answer.Task;

        void Answer()
        {
            try
            {
                answer.TrySetResult(make());
            }
            catch (HttpRequestException e)
            {
                answer.TrySetException(e);
            }
        }
    }

    private static Task<T> Never<T>(CancellationToken ct)
    {
        var answer = new TaskCompletionSource<T>();
        _ = ct.Register(() => answer.TrySetCanceled(ct));
        return answer.Task;
    }
}
