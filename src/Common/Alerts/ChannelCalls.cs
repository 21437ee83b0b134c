using System.Collections.Immutable;
using Common.Time;
using Microsoft.Extensions.Logging;

namespace Common.Alerts;

/// <summary>Makes the requests that deliveries want; whatever becomes of one, an event comes back.</summary>
internal sealed partial class ChannelCalls(
    IEnumerable<IMessageChannel> channels, TimeProvider time, DeliveryPolicy policy, Func<double> jitter, ILogger logger)
{
    private readonly ImmutableDictionary<string, IMessageChannel> _channels = channels.ToImmutableDictionary(c => c.Name, StringComparer.Ordinal);

    public IEnumerable<string> Names => _channels.Keys;

    public bool Has(string channel) => _channels.ContainsKey(channel);

    public Repetition RepetitionOf(string channel) => _channels.GetValueOrDefault(channel)?.Repetition ?? Repetition.AfterALook;

    public async Task<DeliveryEvent> AskAsync(Alert alert, Delivery delivery, DeliveryAction action, CancellationToken ct)
    {
        using var timeout = new CancellationTokenSource(policy.RequestTimeout, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, ct);
        var message = new OutgoingMessage(alert.Id, delivery.Key.Recipient, delivery.SaidPlain ? alert.Plain ?? alert.Text : alert.Text)
        {
            Kind = alert.Kind,
            Severity = alert.Severity,
            RaisedAt = alert.RaisedAt,
            Details = alert.Details,
        };
        try
        {
            return await QuestionAsync(_channels[delivery.Key.Channel], message, delivery, action, either.Token);
        }
        catch (Exception e)
        {
            // Whatever breaks in an adapter, the delivery goes on: lost here, the alert would be stuck for ever.
            return Faulted(e, delivery.Run, action);
        }
    }

    private async Task<DeliveryEvent> QuestionAsync(IMessageChannel channel, OutgoingMessage message, Delivery delivery, DeliveryAction action, CancellationToken ct)
    {
        switch (action)
        {
            case DeliveryAction.Send:
                var outcome = await channel.SendAsync(message, ct).WaitAsync(ct);
                return new DeliveryEvent.SendAnswered(Instant.Now(time), jitter(), delivery.Run, outcome);
            case DeliveryAction.Look:
                var providerId = await Tracked(channel).FindAsync(message, ct).WaitAsync(ct);
                return new DeliveryEvent.Looked(Instant.Now(time), jitter(), delivery.Run, providerId);
            default:
                var status = await Tracked(channel).QueryAsync(delivery.ProviderId ?? "", ct).WaitAsync(ct);
                return new DeliveryEvent.StatusSeen(Instant.Now(time), jitter(), delivery.Run, status);
        }
    }

    /// <summary>A message of an earlier configuration, when the channel of this name could be asked.</summary>
    private static ITrackedChannel Tracked(IMessageChannel channel) =>
        channel as ITrackedChannel ?? throw new HttpRequestException($"channel {channel.Name} cannot be asked");

    private DeliveryEvent Faulted(Exception e, int run, DeliveryAction action)
    {
        if (e is not (HttpRequestException or OperationCanceledException or IOException))
        {
            LogFault(logger, action, e.GetType().Name);
        }

        var reason = e is OperationCanceledException ? "no answer in time" : e is HttpRequestException ? e.Message : e.GetType().Name;
        var (at, chance) = (Instant.Now(time), jitter());
        return action switch
        {
            DeliveryAction.Send => new DeliveryEvent.SendAnswered(at, chance, run, new SendOutcome.Unclear(reason)),
            DeliveryAction.Look => new DeliveryEvent.LookFailed(at, chance, run, reason),
            _ => new DeliveryEvent.QueryFailed(at, chance, run, reason),
        };
    }

    [LoggerMessage(3004, LogLevel.Error, "outbox: {Action} broke with {Kind}")]
    private static partial void LogFault(ILogger log, DeliveryAction action, string kind);
}
