using System.Text.Json.Serialization;
using Common.Alerts;
using Common.Alerts.Test;

namespace Common.Agent;

/// <summary>
/// The words between <c>internalhost</c> and <c>bastion agent</c> on the agent's loopback port: one JSON object a line each way.
/// Version N speaks with N-1: unknown properties are ignored.
/// </summary>
/// <param name="Op">sessions, events, egress, drain, undrain, hold, health, test-alerts, look-at-tests.</param>
/// <param name="Seconds">Of hold: stay up for this long at least; 0 lifts it.</param>
public sealed record AgentRequest(string Op, double? Seconds = null)
{
    /// <summary>Of <c>test-alerts</c>: by this channel only.</summary>
    public string? Channel { get; init; }

    /// <summary>Of <c>look-at-tests</c>.</summary>
    public IReadOnlyList<string>? Ids { get; init; }

    /// <summary>Of <c>events</c>: those after this number. Null: the newest page.</summary>
    public long? Since { get; init; }
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

    /// <summary>In answer to <c>events</c>: at most one page, oldest first. Null: not known.</summary>
    public IReadOnlyList<AgentEvent>? Events { get; init; }

    /// <summary>In answer to <c>events</c>: the number of the newest login there is; it is beyond the page where more are to be asked for.</summary>
    public long? Last { get; init; }

    /// <summary>In answer to <c>egress</c>: the address that the asking site's tunnel is seen from. Null: not known.</summary>
    public string? Egress { get; init; }

    /// <summary>In answer to <c>health</c>: channels that are out of order until somebody acts.</summary>
    public IReadOnlyList<AgentChannel>? Refused { get; init; }
}

/// <param name="From">The peer's numeric address and port as sshd saw it.</param>
public sealed record AgentSession(string Name, string? Device, string From, double AgeSeconds)
{
    /// <summary>The number of the login that opened it; null: an agent that does not say.</summary>
    public long? Event { get; init; }

    /// <summary>As in <see cref="AgentEvent"/>.</summary>
    public string? Alert { get; init; }

    /// <inheritdoc cref="Alert"/>
    public string? Told { get; init; }
}

/// <summary>A login at the bastion, told or not.</summary>
/// <param name="Number">Counts up; a later login has a higher one.</param>
/// <param name="Kind">ssh, console, su, sudo.</param>
/// <param name="Role">person, site, maintenance, unknown.</param>
/// <param name="User">The account.</param>
/// <param name="Name">Whose key it was; the account where that is not known.</param>
/// <param name="From">The peer's numeric address; null: none.</param>
/// <param name="AgeSeconds">Null: of an earlier start of the machine.</param>
/// <param name="Open">The connection still stands.</param>
public sealed record AgentEvent(long Number, string Kind, string Role, string User, string Name, string? Device, string? From, double? AgeSeconds, bool Open)
{
    /// <summary>How long ago the connection was found to have ended; null: it stands, or that is not known.</summary>
    public double? EndedSeconds { get; init; }

    /// <summary>The alert by which it was told, or that of the login which it repeats; null: it was not told.</summary>
    public string? Alert { get; init; }

    /// <summary><see cref="AlertStanding"/> in small letters; null: it was not told.</summary>
    public string? Told { get; init; }
}

/// <param name="Everybody">False: for one recipient only.</param>
/// <param name="Code">The gateway's.</param>
public sealed record AgentChannel(string Channel, bool Everybody, string Code, string Reason);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(AgentRequest))]
[JsonSerializable(typeof(AgentReply))]
public sealed partial class AgentJson : JsonSerializerContext;
