using System.Collections.Immutable;
using System.Net;
using Common.Alerts.Policy;
using Common.Alerts.Settings;

namespace InternalHost.Configuration;

/// <summary>
/// The whole of <c>internalhost.yaml</c>, validated: what reaches the rest of the program is always usable as it stands.
/// </summary>
/// <param name="Site">First word of every message; 1-12 of [a-z0-9-]. Never the host's name.</param>
/// <param name="StateDirectory">Where the journal lives; 0700.</param>
/// <param name="RuntimeDirectory">Control socket, ssh control sockets; short (ssh adds 17 characters to a control path).</param>
public sealed record SiteOptions(
    string Site,
    string StateDirectory,
    string RuntimeDirectory,
    UplinkOptions Primary,
    UplinkOptions Backup,
    WitnessOptions Witnesses,
    OutageOptions Outage,
    BastionOptions Bastion,
    ImmutableArray<ServiceOptions> Services,
    ImmutableArray<PersonOptions> People,
    MessageOptions Messages)
{
    /// <summary>Public host key files of the sshd inside, pinned in the client configuration that people get.</summary>
    public ImmutableArray<string> InnerHostKeyFiles { get; init; } = ["/etc/ssh/ssh_host_ed25519_key.pub"];

    /// <summary>How much disk the recording of our probes may take (<c>internalhost replay</c>); 0: nothing is recorded.</summary>
    public long RecordBytes { get; init; } = SiteDefaults.RecordBytes;

    /// <summary>Logins that are recorded and not told at once. Those from public addresses go to the bastion.</summary>
    public ImmutableArray<AllowEntry> Allow { get; init; } = [];

    public LoginOptions Logins { get; init; } = new(null, null);

    /// <summary>The uplinks by which our own packets can leave.</summary>
    public IEnumerable<UplinkOptions> Lines => new[] { Primary, Backup }.Where(u => u.Carries);

    public Wiring Wiring =>
        Primary.Observe is not null ? Wiring.C
        : Primary.Interface.Length == 0 ? Wiring.D
        : Primary.Interface == Backup.Interface ? Wiring.B
        : Wiring.A;

    public const string StateFileName = "state.db";

    /// <summary>The SQLite file: journal, outbox, memory.</summary>
    public string StateFile => Path.Combine(StateDirectory, StateFileName);

    /// <summary>The service that people type <c>ssh</c> for: the one of that name, else the first; null: there is none.</summary>
    public ServiceOptions? InnerSsh => Services.FirstOrDefault(s => s.Name == "ssh") ?? Services.FirstOrDefault();

    public string ControlSocket => ControlSocketIn(RuntimeDirectory);

    public static string ControlSocketIn(string runtimeDirectory) => Path.Combine(runtimeDirectory, "control.sock");
}

/// <param name="ConfirmAfter">Dark this long, counted from the send time of the last answered probe, is Down.</param>
/// <param name="TellAfter">The VM starts at once; shorter outages stay silent.</param>
/// <param name="StopAfter">Linger after the primary is back and the last session has ended.</param>
/// <param name="MaxUptime">Warns only.</param>
public sealed record OutageOptions(
    TimeSpan ConfirmAfter,
    TimeSpan RecoverAfter,
    TimeSpan TellAfter,
    TimeSpan StopAfter,
    TimeSpan? MaxUptime);

public enum CloudKind
{
    Unknown = 0,
    Local = 1,
    Static = 2,
    Command = 3,
    Ec2 = 4,
    DigitalOcean = 5,
}

/// <param name="Ports">sshd's ports, tried in this order: 49022, then 443.</param>
/// <param name="User">The site's tunnel account.</param>
/// <param name="KeyFile">Private key of that account, 0600.</param>
/// <param name="HostKeys">Pinned public host keys, in known_hosts form without the host field (<c>ssh-ed25519 AAAA...</c>).</param>
/// <param name="HostKeyAlias">The name the pin is filed under; addresses change, this does not.</param>
/// <param name="FirstForwardPort">The site's block of 16 loopback ports on the bastion begins here; the last one is the loop probe's.</param>
/// <param name="AgentPort">The agent's loopback port on the bastion; null: a bastion without our agent.</param>
/// <param name="Name">DNS name of the bastion for people, where there is one.</param>
/// <param name="Address">static: where it is. Others: null.</param>
/// <param name="LocalSocket">local: the socket of <c>internalhost local-cloud</c>.</param>
public sealed record BastionOptions(
    CloudKind Cloud,
    ImmutableArray<int> Ports,
    string User,
    string KeyFile,
    ImmutableArray<string> HostKeys,
    string HostKeyAlias,
    int FirstForwardPort,
    int? AgentPort,
    string? Name,
    IPAddress? Address,
    string? LocalSocket,
    TunnelProfile Profile)
{
    public const int ForwardPortCount = 16;

    public int LoopProbePort => FirstForwardPort + ForwardPortCount - 1;

    /// <summary>The files that <see cref="HostKeys"/> were read from; none: they stand in the configuration.</summary>
    public ImmutableArray<string> HostKeyFiles { get; init; } = [];

    /// <summary>The bastion's account to which people, keys and channels are pushed at each start; null: they are not.</summary>
    public string? SyncUser { get; init; }

    /// <summary>The VM switches itself off after so long without tunnel and session; null: never.</summary>
    public TimeSpan? DeadMan { get; init; }

    /// <summary>ec2, digitalocean: an elastic or reserved IPv4 address of the owner's that is to lead to the VM; null: whatever the VM has.</summary>
    public IPAddress? FixedAddress { get; init; }

    /// <summary>Who sets the record of <see cref="Name"/> at each start; null: it is the owner's own.</summary>
    public NameRecordOptions? Dns { get; init; }

    /// <summary>command: what to run. Others: null.</summary>
    public CloudCommands? Commands { get; init; }

    /// <summary>USD: told once in each month when the estimate reaches it. Nothing is refused.</summary>
    public decimal? MonthlyLimit { get; init; }

    /// <summary>ec2, digitalocean: where the VM is, and whose. Others: null.</summary>
    public CloudApiOptions? Api { get; init; }
}

/// <summary>Who keeps the DNS record of the bastion's name.</summary>
public enum NameProvider
{
    Unknown = 0,
    DigitalOcean = 1,
    Route53 = 2,
    Command = 3,
}

/// <param name="Zone">digitalocean: the domain; route53: the hosted zone's id. Others: null.</param>
/// <param name="Endpoint">Another API than the provider's public one.</param>
/// <param name="Command">command: program and arguments; the name and its addresses follow. Others: empty.</param>
public sealed record NameRecordOptions(NameProvider Provider, string? Zone, string? SecretFile, Uri? Endpoint, ImmutableArray<string> Command)
{
    /// <summary>By what is in the list.</summary>
    public bool Equals(NameRecordOptions? other) => other is not null
        && Provider == other.Provider && Zone == other.Zone && SecretFile == other.SecretFile && Endpoint == other.Endpoint && Command.SequenceEqual(other.Command);

    public override int GetHashCode() => HashCode.Combine(Provider, Zone, SecretFile, Endpoint);
}

/// <summary>Providers <c>ec2</c> and <c>digitalocean</c>.</summary>
/// <param name="Region">The provider's name of it: eu-central-1, fra1.</param>
/// <param name="Sizes">What will do, in the provider's words, the first one first.</param>
/// <param name="SecretFile">ec2: a shared credentials file with a profile [default]; null: the environment's and the user's own (~/.aws). digitalocean: the token.</param>
/// <param name="Endpoint">Where the API is; null: the provider's public one.</param>
public sealed record CloudApiOptions(string Region, ImmutableArray<string> Sizes, string? SecretFile, Uri? Endpoint)
{
    /// <summary>By what is in the list.</summary>
    public bool Equals(CloudApiOptions? other) => other is not null
        && Region == other.Region && Sizes.SequenceEqual(other.Sizes) && SecretFile == other.SecretFile && Endpoint == other.Endpoint;

    public override int GetHashCode() => HashCode.Combine(Region, SecretFile, Endpoint);
}

/// <summary>Provider <c>command</c>: program and arguments each, never one string.</summary>
public sealed record CloudCommands(ImmutableArray<string> Describe, ImmutableArray<string> Start, ImmutableArray<string> Stop)
{
    /// <summary>By what is in the lists.</summary>
    public bool Equals(CloudCommands? other) => other is not null
        && Describe.SequenceEqual(other.Describe) && Start.SequenceEqual(other.Start) && Stop.SequenceEqual(other.Stop);

    public override int GetHashCode() => HashCode.Combine(Describe.Length, Start.Length, Stop.Length);
}

/// <summary>How eagerly a dead link is looked for: ServerAliveInterval / ServerAliveCountMax.</summary>
public enum TunnelProfile
{
    Unknown = 0,

    /// <summary>5 / 2: 15 s.</summary>
    Serving = 1,

    /// <summary>20 / 3: 80 s, for an idle tunnel on a metered link.</summary>
    Metered = 2,

    /// <summary>3 / 1: 6 s.</summary>
    Fast = 3,
}

/// <param name="BastionPort">Loopback port on the bastion that reaches this service.</param>
public sealed record ServiceOptions(string Name, string TargetHost, int TargetPort, int BastionPort, bool Bulk = false);

/// <param name="Text">E.164 number, or null.</param>
/// <param name="Devices">Device name to public key.</param>
public sealed record PersonOptions(string Name, string? Text, ImmutableArray<string> May, ImmutableDictionary<string, string> Devices)
{
    /// <summary>A chat of this person's own; null: the common one.</summary>
    public string? Telegram { get; init; }
}

/// <param name="Sms">Null: no SMS configured.</param>
public sealed record MessageOptions(SmsOptions? Sms, string InnerUser)
{
    /// <summary>The other channels.</summary>
    public ChannelSettings Channels { get; init; } = new();

    /// <summary>Sent by the bastion alone: from here a mail cannot be bound to an uplink.</summary>
    public MailSettings? Mail { get; init; }

    /// <summary>The bastion's channels, the first one tried first; <see cref="Mail"/> is one of them.</summary>
    public ImmutableArray<string> BastionOrder { get; init; } = [];

    /// <summary>Every configured channel, the first one tried first.</summary>
    public ImmutableArray<string> Order => Channels.Order.IsEmpty ? Channels.InUsualOrder(Sms is not null) : Channels.Order;
}

/// <param name="BaseUrl">https://api.twilio.com by default; http is allowed for loopback only.</param>
/// <param name="KeyName">API key SID or account SID used as the basic-auth user.</param>
/// <param name="SecretFile">File with the API key's secret; 0600 or a systemd credential.</param>
public sealed record SmsOptions(Uri BaseUrl, string AccountSid, string KeyName, string SecretFile, string From, ImmutableArray<string> To, string? CaFile = null);
