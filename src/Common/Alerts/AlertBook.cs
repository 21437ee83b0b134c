using System.Collections.Immutable;
using Microsoft.Data.Sqlite;

namespace Common.Alerts;

/// <summary>Reads what the outbox has, for people: the newest alerts, and one of them with everything that is known.</summary>
public static class AlertBook
{
    private const int ShownDigits = 4;

    /// <summary>Newest first.</summary>
    public static IReadOnlyList<AlertView> Recent(SqliteConnection connection, int count) =>
        [.. OutboxSql.Newest(connection, count).Select(View)];

    /// <param name="id">As <see cref="Id"/> gives it.</param>
    public static AlertView? Find(SqliteConnection connection, string id) =>
        OutboxSql.Find(connection, id) is { } alert ? View(OutboxSql.WithDeliveries(connection, alert)) : null;

    /// <summary>Unknown: there is none of this id.</summary>
    public static AlertStanding Standing(SqliteConnection connection, string id)
    {
        if (OutboxSql.Find(connection, id) is not { } alert)
        {
            return AlertStanding.Unknown;
        }

        var phases = OutboxSql.WithDeliveries(connection, alert).Deliveries.Select(d => d.Phase).ToList();
        return phases.Contains(DeliveryPhase.Confirmed) ? AlertStanding.Confirmed
            : phases.TrueForAll(p => p == DeliveryPhase.Dead) ? AlertStanding.Dead
            : AlertStanding.Pending;
    }

    /// <summary>What somebody has read off a phone: <c>#7f3k</c> is 7F3K. Null: no id.</summary>
    public static string? Id(string typed)
    {
        var id = typed.Trim().TrimStart('#').ToUpperInvariant();
        return id.Length is >= AlertId.Length and <= 2 * AlertId.LongLength && id.All(char.IsAsciiLetterOrDigit) ? id : null;
    }

    private static AlertView View(OpenAlert open)
    {
        var alert = open.Alert;
        return new AlertView(
            alert.Id, alert.Kind, alert.Severity.ToString().ToLowerInvariant(), alert.RaisedAt, Text.SafeText.Clean(alert.Text), true, null,
            [.. alert.Details.Select(d => new AlertFact(d.Label, d.Value))], [.. open.Deliveries.Select(View)]);
    }

    private static DeliveryView View(Delivery d)
    {
        var (state, means) = d.Phase switch
        {
            DeliveryPhase.Held => ("held", "waits for the channel before it"),
            DeliveryPhase.Pending => ("pending", "to be sent"),
            DeliveryPhase.Sending => ("sending", "being sent"),
            DeliveryPhase.Doubtful => ("doubtful", "may have been sent: the gateway is asked"),
            DeliveryPhase.Sent => ("sent", "with the gateway, not yet confirmed"),
            DeliveryPhase.Unconfirmed => ("unconfirmed", "with the gateway, which says nothing more"),
            DeliveryPhase.Confirmed => ("confirmed", "arrived"),
            DeliveryPhase.Dead => ("dead", "will not arrive"),
            DeliveryPhase.NotNeeded => ("not_needed", "not needed: told by another channel first"),
            _ => ("unknown", "not known to this version"),
        };
        return new DeliveryView(Text.SafeText.Clean(d.Key.Channel), Masked(d.Key.Recipient), state, means, Clean(d.Code), Clean(d.Reason), Clean(d.ProviderId));
    }

    private static string Masked(string recipient) =>
        recipient.Length <= ShownDigits ? recipient : $"...{Text.SafeText.Clean(recipient[^ShownDigits..])}";

    private static string? Clean(string? text) => text is null ? null : Text.SafeText.Clean(text);
}
