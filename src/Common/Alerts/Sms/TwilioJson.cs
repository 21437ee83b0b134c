using System.Text.Json.Serialization;

namespace Common.Alerts.Sms;

/// <summary>What we read of Twilio's Message resource (API 2010-04-01).</summary>
internal sealed record TwilioMessage(string? Sid, string? Status, string? Body, string? To, string? Direction, int? ErrorCode);

internal sealed record TwilioPage(IReadOnlyList<TwilioMessage>? Messages, string? NextPageUri);

internal sealed record TwilioFault(int? Code);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, NumberHandling = JsonNumberHandling.AllowReadingFromString)]
[JsonSerializable(typeof(TwilioMessage))]
[JsonSerializable(typeof(TwilioPage))]
[JsonSerializable(typeof(TwilioFault))]
internal sealed partial class TwilioJson : JsonSerializerContext;
