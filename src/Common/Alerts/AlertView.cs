using System.Text.Json.Serialization;

namespace Common.Alerts;

/// <summary>An alert, or something that was recorded and not pushed, as <c>alerts list</c> and <c>alerts explain</c> show it.</summary>
/// <param name="Told">It went to the outbox.</param>
/// <param name="Silence">Why it was not pushed, or not by every way; null: nothing kept it back.</param>
/// <param name="Deliveries">Where each message stands; empty where none was made.</param>
public sealed record AlertView(
    string Id,
    string Kind,
    string Severity,
    DateTimeOffset At,
    string Text,
    bool Told,
    string? Silence,
    IReadOnlyList<AlertFact> Details,
    IReadOnlyList<DeliveryView> Deliveries);

public sealed record AlertFact(string Label, string Value);

/// <param name="To">The recipient, masked but for its end.</param>
/// <param name="State">held, pending, sending, doubtful, sent, unconfirmed, confirmed, dead, not_needed.</param>
/// <param name="Means">The same in words.</param>
public sealed record DeliveryView(string Channel, string To, string State, string Means, string? Code, string? Reason, string? ProviderId);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(AlertView))]
public sealed partial class AlertViewJson : JsonSerializerContext;
