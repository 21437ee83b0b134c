using Common.Alerts;

namespace Testing;

/// <summary>
/// A gateway of a test: it notes what is asked, keeps what it accepts, and answers as the test says. An answer that is not set by
/// the test is the good one. Unset tasks let the test decide later.
/// </summary>
public sealed class FakeChannel(string name = "sms") : ITrackedChannel
{
    private readonly Queue<Func<OutgoingMessage, Task<SendOutcome>>> _sends = new();
    private int _accepted;

    public string Name => name;

    public Repetition Repetition { get; init; } = Repetition.AfterALook;

    public List<OutgoingMessage> Sent { get; } = [];

    public List<OutgoingMessage> Looked { get; } = [];

    public List<string> Queried { get; } = [];

    /// <summary>What the gateway really holds, by its id for it.</summary>
    public Dictionary<string, OutgoingMessage> Held { get; } = [];

    public Func<string, DeliveryStatus> Status { get; set; } = _ => new(DeliveryState.Delivered);

    public Func<OutgoingMessage, string?>? Look { get; set; }

    public FakeChannel Next(SendOutcome outcome) => Next(_ => Task.FromResult(outcome));

    public FakeChannel Next(Func<OutgoingMessage, Task<SendOutcome>> answer)
    {
        _sends.Enqueue(answer);
        return this;
    }

    /// <summary>Takes the next message and loses the answer.</summary>
    public FakeChannel NextIsTakenAndLost() => Next(message =>
    {
        Keep(message);
        return Task.FromResult<SendOutcome>(new SendOutcome.Unclear("lost"));
    });

    public Task<SendOutcome> SendAsync(OutgoingMessage message, CancellationToken ct)
    {
        Sent.Add(message);
        return _sends.TryDequeue(out var answer) ? answer(message) : Task.FromResult<SendOutcome>(new SendOutcome.Accepted(Keep(message)));
    }

    public Task<DeliveryStatus> QueryAsync(string providerId, CancellationToken ct)
    {
        Queried.Add(providerId);
        return Task.FromResult(Status(providerId));
    }

    public Task<string?> FindAsync(OutgoingMessage message, CancellationToken ct)
    {
        Looked.Add(message);
        return Task.FromResult(Look is not null ? Look(message) : Held.Reverse().FirstOrDefault(h => h.Value == message).Key);
    }

    public string Keep(OutgoingMessage message)
    {
        var id = $"SM{++_accepted}";
        Held[id] = message;
        return id;
    }
}
