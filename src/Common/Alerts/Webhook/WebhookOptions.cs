using Common.Configuration;

namespace Common.Alerts.Webhook;

/// <param name="Address">Null: the address is itself a secret (Slack, Discord), in <paramref name="AddressFile"/>.</param>
/// <param name="TokenFile">Holds what goes into <c>Authorization: Bearer</c>.</param>
/// <param name="SigningFile">Holds the key of the body's HMAC.</param>
/// <param name="KeyFile">Holds the body's <c>{key}</c>.</param>
public sealed record WebhookOptions(
    string Site, WebhookShape Shape, Uri? Address, string? AddressFile, string? TokenFile = null, string? SigningFile = null, string? KeyFile = null)
{
    public TimeSpan Timeout { get; init; } = Http.GatewayHttp.Patience;

    /// <summary>What is wrong with them, or null.</summary>
    public string? Fault() => this switch
    {
        { Address: null, AddressFile: null } => "neither url nor secret says where to send it",
        { Address: not null, AddressFile: not null } => "url and secret both say where to send it: keep one",
        { Address: { } address } when NetworkValues.WebAddress(address.OriginalString).Problem is { } problem => $"the address {problem}",
        { Shape.NeedsKey: true, KeyFile: null } => "this shape needs a key: the name of the secret that holds it",
        _ => null,
    };
}
