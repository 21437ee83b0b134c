using System.Text.Json;
using System.Text.Json.Serialization;
using InternalHost.Cloud;
using InternalHost.Configuration;
using InternalHost.Pins;
using InternalHost.Tunnel;
using InternalHost.Wan.Detection;
using InternalHost.Wan.Probes;

namespace InternalHost.Control;

/// <summary>
/// How things are, for people and scripts: <c>internalhost status [--json]</c>. Ages in seconds, never only moments, because the wall
/// clock may be wrong; null is unknown, never "none".
/// </summary>
/// <param name="Time">Wall time of the answer, for people.</param>
public sealed record StatusReport(
    string Version,
    string Site,
    DateTimeOffset Time,
    ClockStatus Clock,
    UplinksStatus Uplinks,
    ControllerStatus Controller,
    VmStatus Vm,
    TunnelStatus Tunnel,
    SessionsStatus Sessions,
    AlertsStatus Alerts,
    JournalStatus Journal,
    BytesStatus Bytes)
{
    /// <summary>What the bastion knows of people; null: this daemon pushes nothing there.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public PeopleStatus? People { get; init; }

    /// <summary>Whether the probes are recorded as they should be.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public RecordingStatus? Recording { get; init; }

    /// <summary>Whether logins to this host are seen.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public LoginsStatus? Logins { get; init; }

    /// <summary>How the bastion's name stands; null: none is set by this daemon.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public NameStatus? Name { get; init; }

    /// <summary>The bastion's host keys that are accepted; null: this daemon does not say.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyList<PinStatus>? Pins { get; init; }

    /// <summary>An age as it is reported.</summary>
    public static double Seconds(TimeSpan age) => Math.Round(age.TotalSeconds, 1);

    public static double? Seconds(TimeSpan? age) => age is { } known ? Seconds(known) : null;
}

/// <param name="Synchronised">Null: not known.</param>
/// <param name="Source">Where trusted time comes from now: kernel, sntp, journal, build.</param>
public sealed record ClockStatus(bool? Synchronised, string Source);

public sealed record UplinksStatus(UplinkStatus Primary, UplinkStatus Backup)
{
    /// <summary>How they are told apart on this host: A, B, C or D.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public Wiring? Wiring { get; init; }
}

/// <param name="Reason">One word of the detector, such as dark, carrier, egress, never_up.</param>
public sealed record UplinkStatus(
    UplinkState State,
    [property: JsonConverter(typeof(LowerCaseUsable))] Usable Usable,
    double? SinceS,
    string? Reason)
{
    /// <summary>From where the world saw this uplink last; null: not found out.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? PublicAddress { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public double? PublicAddressAgeS { get; init; }
}

/// <param name="State">Standby, Starting, Connecting, Serving, Draining, Stopping.</param>
/// <param name="Outage">Number of the outage that is on; null: none is.</param>
/// <param name="Cause">Why the way in is wanted: PrimaryDown, Operator, Summoned, Drill.</param>
/// <param name="WaitingFor">What keeps it from going on, in plain words; null: nothing.</param>
public sealed record ControllerStatus(string State, int? Outage, double? SinceS, string? Cause, OrdersStatus Orders, string? WaitingFor)
{
    /// <summary>The operator's order that is in force: open, paused, closed.</summary>
    public string? Hold => Orders switch
    {
        { ClosedLeftS: not null } => "closed",
        { OpenLeftS: not null } => "open",
        { PausedLeftS: not null } => "paused",
        _ => null,
    };
}

/// <summary>The operator's standing orders, each with the time it has left; null: not given.</summary>
/// <param name="ClosedBy">operator, or owner (in the provider's app).</param>
public sealed record OrdersStatus(
    double? OpenLeftS = null,
    double? PausedLeftS = null,
    string? PausedWhy = null,
    double? ClosedLeftS = null,
    string? ClosedBy = null);

/// <param name="AgeS">How old this sight of the VM is; null: never seen.</param>
/// <param name="Problem">Why the provider's last answer was none.</param>
public sealed record VmStatus(InstanceState State, string? Address, double? AgeS, string? Problem = null);

/// <param name="State">idle, dialling, connecting, verified, busy, waiting.</param>
/// <param name="VerifiedAgeS">Age of the last proof (a nonce that came round, or bytes); null: none in this run.</param>
/// <param name="Reason">Why it is not up, or was lost last.</param>
/// <param name="Detail">The line that told us.</param>
public sealed record TunnelStatus(
    string State,
    double? VerifiedAgeS,
    TunnelReason? Reason,
    string? Detail,
    int? Run,
    string? Address,
    IReadOnlyList<ForwardStatus> Forwards)
{
    /// <summary>From which address the bastion sees it; null: not known.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Egress { get; init; }
}

/// <param name="State">open, closed, target_down.</param>
public sealed record ForwardStatus(string Name, int Port, string Target, string State, string? Reason = null);

/// <param name="Count">Null: unknown, which counts as occupied.</param>
public sealed record SessionsStatus(int? Count, double? AgeS);

/// <param name="Bundle">Number of the last one that the bastion has taken since this daemon started; null: none.</param>
/// <param name="Refusal">Why the last push was not taken, whole; null: it was.</param>
/// <param name="NextTryInS">Null: not by itself.</param>
public sealed record PeopleStatus(long? Bundle, double? AgeS, string? Refusal, string? Detail, double? RefusalAgeS, double? NextTryInS)
{
    [JsonIgnore]
    public string? Problem => Refusal is null ? null : $"{Refusal}: {Detail}";
}

/// <param name="Pending">Not yet confirmed.</param>
/// <param name="Dead">Given up: somebody was not told.</param>
public sealed record AlertsStatus(int Pending, int Dead, string? Problem = null)
{
    /// <summary>Channels that are out of order until somebody acts.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyList<RefusedChannelStatus>? Refused { get; init; }
}

/// <param name="Everybody">False: for one recipient only.</param>
/// <param name="Code">The gateway's.</param>
/// <param name="TrialInS">Until it is tried again by itself, with the next alert.</param>
public sealed record RefusedChannelStatus(string Channel, bool Everybody, string Code, string Reason, double SinceS, double TrialInS);

public sealed record JournalStatus(bool Ok, string? Problem = null);

/// <param name="Log">journal, a path, or none.</param>
/// <param name="Hook">The PAM hook's events are read too.</param>
/// <param name="Problem">Why logins cannot be seen now.</param>
public sealed record LoginsStatus(string Log, bool Hook, string? Problem = null);

/// <param name="State">left (the VM does not run), wanted, set, seen.</param>
/// <param name="Problem">Why it is not as it should be.</param>
public sealed record NameStatus(string Name, string State, string? Problem = null);

/// <param name="Source">hand, console, one-time, rotation.</param>
/// <param name="By">Whose account put it there.</param>
/// <param name="Next">Accepted already, not yet offered by the bastion.</param>
public sealed record PinStatus(string Fingerprint, string Source, string? By, DateTimeOffset? At, bool Next)
{
    internal static PinStatus Of(Pin pin) => new(pin.Fingerprint, PinText.Word(pin.Source), pin.By, pin.At, pin.Next);
}

/// <param name="Problem">Why the probes are not recorded.</param>
public sealed record RecordingStatus(bool Ok, string? Problem = null);

/// <summary>Over the backup in this outage; null outside one.</summary>
public sealed record BytesStatus(long? Sent, long? Received);

/// <summary>yes, no, unknown.</summary>
internal sealed class LowerCaseUsable() : JsonStringEnumConverter<Usable>(JsonNamingPolicy.CamelCase);

/// <summary>Nulls are written out: a script may rely on every key.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, UseStringEnumConverter = true)]
[JsonSerializable(typeof(StatusReport))]
public sealed partial class StatusJson : JsonSerializerContext;
