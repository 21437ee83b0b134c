using Common.Alerts;

namespace Bastion.People;

/// <summary>
/// Stands in while the first bundle of this start has not come: an alert that has nobody to go to waits in the outbox for the channels that the bundle brings
/// (<see cref="Outbox.Readdress"/>).
/// </summary>
internal sealed class NoChannelYet : IMessageChannel
{
    private static readonly TimeSpan Later = TimeSpan.FromMinutes(1);

    /// <summary>Longer than any wait for a bundle.</summary>
    public static readonly TimeSpan Hold = TimeSpan.FromDays(366);

    public string Name => Outbox.Nowhere;

    public Repetition Repetition => Repetition.Unseen;

    public Task<SendOutcome> SendAsync(OutgoingMessage message, CancellationToken ct) =>
        Task.FromResult<SendOutcome>(new SendOutcome.NotNow("no site has said yet how its people are told", Later));
}
