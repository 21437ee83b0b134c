using System.Text.Json.Serialization;
using Common.Alerts.Test;

namespace Common.Agent;

/// <summary>
/// The words between <c>internalhost</c> and <c>bastion agent</c> on the agent's loopback port: one JSON object a line each way.
/// Version N speaks with N-1: unknown properties are ignored.
/// </summary>
/// <param name="Op">sessions, drain, undrain, hold, health, test-alerts, look-at-tests.</param>
/// <param name="Seconds">Of hold: stay up for this long at least; 0 lifts it.</param>
public sealed record AgentRequest(string Op, double? Seconds = null)
{
    /// <summary>Of <c>test-alerts</c>: by this channel only.</summary>
    public string? Channel { get; init; }

    /// <summary>Of <c>look-at-tests</c>.</summary>
    public IReadOnlyList<string>? Ids { get; init; }
}

/// <param name="Ok">False with <paramref name="Error"/> when the request was not understood or not carried out.</param>
/// <param name="Sessions">Authenticated connections that are not a site's own tunnel. Null: not known.</param>
/// <param name="Who">One entry for each session.</param>
/// <param name="Drained">New people are refused (only meaningful in answer to drain).</param>
/// <param name="Outbox">Alerts not yet confirmed.</param>
/// <param name="AptIdle">No package operation is running: a stop is safe.</param>
/// <param name="OffInSeconds">Until the VM switches itself off were nobody to come; null: it has no dead man.</param>
/// <param name="HeldForSeconds">How long the owner has asked it to stay up.</param>
/// <param name="Logins">People who have logged in since the agent's boot, for the closing message.</param>
public sealed record AgentReply(
    bool Ok,
    string? Error = null,
    int? Sessions = null,
    IReadOnlyList<AgentSession>? Who = null,
    bool Drained = false,
    int Outbox = 0,
    bool AptIdle = true,
    int Logins = 0,
    string? Version = null,
    double? OffInSeconds = null,
    double? HeldForSeconds = null)
{
    /// <summary>Test messages, in answer to <c>test-alerts</c> and <c>look-at-tests</c>.</summary>
    public IReadOnlyList<ChannelTest>? Tests { get; init; }
}

/// <param name="From">The peer's numeric address and port as sshd saw it.</param>
public sealed record AgentSession(string Name, string? Device, string From, double AgeSeconds);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(AgentRequest))]
[JsonSerializable(typeof(AgentReply))]
public sealed partial class AgentJson : JsonSerializerContext;
