using System.Collections.Immutable;
using Bastion.DeadMan;
using Bastion.People;
using Common.Alerts;
using Common.Alerts.Policy;
using Common.Alerts.Settings;
using Common.Alerts.Sms;
using Common.Logins;

namespace Bastion.Configuration;

/// <summary>The agent's settings, validated: what reaches the rest of the program is usable as it stands.</summary>
/// <param name="Site">First word of every message; 1-12 of [a-z0-9-].</param>
/// <param name="Vm">This machine's name in the provider's app, for "Stop VM ..."; null: not said.</param>
/// <param name="LogFile">sshd's log; null: the journal.</param>
/// <param name="AgentPort">On 127.0.0.1.</param>
/// <param name="SshdPorts">Connections to these local ports are the ones that can be sessions.</param>
/// <param name="Door">How new people are kept out while draining.</param>
/// <param name="DeadMan">Null: the VM never switches itself off.</param>
/// <param name="Spool">Where the PAM hook leaves its events; null: there is no hook here.</param>
/// <param name="Private">A private set-up: sshd runs as our own user and logs to a file of ours, so our uid and bare lines are trusted.</param>
internal sealed record AgentOptions(
    string Site,
    string? Vm,
    string? LogFile,
    ImmutableArray<Identity> Identities,
    int AgentPort,
    string StateDirectory,
    ImmutableArray<int> SshdPorts,
    SmsSettings? Sms,
    DoorOptions Door,
    bool Private,
    DeadManOptions? DeadMan = null,
    string? Spool = null)
{
    /// <summary>Logins that are not pushed.</summary>
    public ImmutableArray<AllowEntry> Allow { get; init; } = [];

    /// <summary>The channels besides SMS.</summary>
    public ChannelSettings Channels { get; init; } = new();

    /// <summary>Folder of the sites' bundles; null: this agent has its settings from its file alone.</summary>
    public string? Bundles { get; init; }

    /// <summary>Whose bundle is in force.</summary>
    public ImmutableArray<AgentSite> Sites { get; init; } = [];

    /// <summary>Nobody can be told yet; the first bundle will say how.</summary>
    public bool AwaitsChannels { get; init; }

    /// <summary>Every configured channel, the first one tried first.</summary>
    public ImmutableArray<string> Order => Channels.Order.IsEmpty ? Channels.InUsualOrder(Sms is not null) : Channels.Order;

    /// <summary>Of the people, for quiet hours: the VM's clock runs in UTC.</summary>
    public TimeZoneInfo Zone { get; init; } = TimeZoneInfo.Utc;

    /// <summary>Who is told of what concerns this machine as a whole, and by what, in which order: whom its own file names, else all sites.</summary>
    public ImmutableArray<Route> Routes => Sites switch
    {
        [{ Bundle.Messages: not null } only] => only.Messages.Routes,
        [_, _, ..] when Order.IsEmpty => [.. Sites.SelectMany(s => s.Routes)],
        _ => RoutePlan.Of(
            Order, (Sms?.To ?? []).Select(number => new Reach(number, ImmutableDictionary<string, string>.Empty.Add(TwilioSms.ChannelName, number))), Channels.Shared()),
    };

    /// <summary>Where our own PAM line looks (<c>pam_nologin.so file=...</c>, skipped for site accounts): not /run/nologin, which keeps sites out too.</summary>
    public const string DefaultNologinPath = "/run/bastion/nologin";

    public const int DefaultAgentPort = 49020;
    public const string DefaultStateDirectory = "/var/lib/bastion";

    public static readonly ImmutableArray<int> DefaultSshdPorts = [49022, 443];
}

/// <param name="NologinPath">Exists while draining: pam_nologin's file, or looked at by a person's forced command.</param>
/// <param name="RevokedKeys">sshd's RevokedKeys file (a KRL): while draining it holds the fingerprints of all keys but sites'. For an sshd without PAM.</param>
internal sealed record DoorOptions(string NologinPath, string? RevokedKeys = null);

/// <param name="CaFile">PEM of a private root that the gateway's certificate must chain to; null: the system's roots.</param>
internal sealed record SmsSettings(TwilioOptions Gateway, ImmutableArray<string> To, string? CaFile);
