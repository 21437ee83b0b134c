using System.Net;
using System.Net.Sockets;
using Common.Agent;
using Common.Alerts;
using Common.Alerts.Policy;
using Common.Logins;

namespace Common.Logins.Recording;

/// <param name="Identity">Whose key it is, where it is one we know.</param>
/// <param name="NewNetwork">Nobody has come with this key (or account, without a key) from this network before.</param>
/// <param name="OwnAccount">In a private set-up: the one account that serves everybody, so that it being root says nothing.</param>
/// <param name="History">Already in the log, and older than an hour, when the agent came to this machine: not news.</param>
internal sealed record LoginContext(Identity? Identity, bool NewNetwork, string? OwnAccount = null, bool History = false)
{
    /// <summary>Nothing is known: while the disk cannot be read.</summary>
    public static readonly LoginContext Nothing = new(null, NewNetwork: false);

    /// <summary>This key (or account, without a key) has never come.</summary>
    public bool NewSubject { get; init; }

    /// <summary>It came from another network earlier in this boot, and from this one not yet.</summary>
    public bool Moved { get; init; }

    public LoginHost Host { get; init; } = LoginHost.Bastion;

    public LoginWay Way { get; init; } = LoginWay.Direct;

    /// <summary>Failed connections from the same network of late; this one's own failures are not among them.</summary>
    public int Failures { get; init; }
}

/// <param name="Why">Which rule fired, in words for <c>alerts explain</c>.</param>
/// <param name="Tell">Push it to the owner. Every login is recorded, told or not.</param>
internal sealed record LoginVerdict(Severity Severity, string Why, bool Tell, LoginRole Role, string Who, string? Device, LoginFlags Flags);

/// <summary>
/// Login to severity, by what is new. Gravest rule first; a known person is always told; a site's own tunnel is recorded and not
/// pushed, by this rule and by no hole in the capture.
/// </summary>
[PureCore]
internal static class LoginRules
{
    /// <summary>Fewer are a person who has mistyped, or a client that has offered its other keys.</summary>
    public const int ManyFailures = 5;

    /// <summary>Not "sync": Debian has an account of that name (uid 4, shell /bin/sync) on every machine.</summary>
    public const string SyncAccount = "bastion-sync";

    public static LoginVerdict Judge(Login login, LoginContext context)
    {
        var verdict = ByWho(login, context);
        verdict = context.Way == LoginWay.Tunnel ? verdict with { Flags = verdict.Flags | LoginFlags.ByTunnel } : verdict;
        return context.History
            ? verdict with { Severity = Severity.Low, Tell = false, Why = $"before the agent came here ({verdict.Why})" }
            : verdict;
    }

    /// <summary>A verdict on the inside, once the bastion has been asked.</summary>
    public static LoginVerdict Hear(LoginVerdict verdict, BastionWord word) => word switch
    {
        BastionWord.Told { By: var by } => Through(verdict, by) with { Severity = Severity.Normal, Why = $"{verdict.Why}, through the bastion as {by.Name}" },
        BastionWord.Untold { By: var by } => Through(verdict, by) with { Why = $"{verdict.Why}, through the bastion as {by.Name}, which nobody is known to have been told" },
        BastionWord.Nobody => verdict with
        {
            Severity = Severity.Critical,
            Why = "through the tunnel, and nobody is logged in at the bastion",
            Flags = verdict.Flags | LoginFlags.NotAtBastion,
        },
        _ => verdict with { Why = $"{verdict.Why}, through the tunnel, and the bastion does not say who is logged in there" },
    };

    private static LoginVerdict Through(LoginVerdict verdict, AgentEvent by) =>
        verdict with { Who = by.Name, Device = by.Device, Flags = (verdict.Flags & ~LoginFlags.ByTunnel) | LoginFlags.GotInside };

    private static LoginVerdict ByWho(Login login, LoginContext context)
    {
        var identity = context.Identity;
        var network = context.NewNetwork ? LoginFlags.NewNetwork : LoginFlags.None;
        return login switch
        {
            { Ambiguous: true } => Critical("the log line can be read in more than one way: a forged name", login, identity, network),
            { Kind: LoginKind.Console, User: "root" } => Critical("as root, at the console", login, null, LoginFlags.None),
            // Whoever asks has logged in before, and that has been told. At home sudo is everyday; at the bastion it is not.
            { Kind: LoginKind.Su or LoginKind.Sudo } when context.Host == LoginHost.Inside => new(Severity.Low, Inside(login), false, LoginRole.Unknown, login.User, null, LoginFlags.None),
            { Kind: not LoginKind.Ssh } => new(Severity.High, Inside(login), true, LoginRole.Unknown, login.User, null, LoginFlags.None),
            _ when login.Methods.All(m => m.Name != "publickey") => Critical($"by {Kind(login.Method)}, not by key", login, null, network | LoginFlags.Password),
            { User: not "root" } when identity is null && context is { Host: LoginHost.Inside, NewSubject: false } =>
                new(Severity.High, "key is in no list, and has come before", true, LoginRole.Unknown, login.User, null, network),
            _ when identity is null => Critical("key is in no list", login, null, network | LoginFlags.NewKey),
            { User: "root" } when context.OwnAccount != "root" => Critical("as root", login, identity, network),
            _ when context is { Host: LoginHost.Bastion, OwnAccount: null } && !IsOwn(identity, login.User) =>
                Critical($"the key of {identity.Name}, in an account that is not of {identity.Name}", login, identity, network | LoginFlags.NewUser),
            _ when identity.Role != LoginRole.Site && context.Failures >= ManyFailures =>
                Critical($"after {context.Failures} failed connections from the same network", login, identity, network | LoginFlags.AfterFailures),
            _ => Known(identity, login, context, network),
        };
    }

    private static LoginVerdict Known(Identity identity, Login login, LoginContext context, LoginFlags network) => identity.Role switch
    {
        LoginRole.Site => Tunnel(identity, login.From?.Address, context, network),
        LoginRole.Maintenance => Told(Severity.High, "maintenance key", identity, network),
        _ => Told(Severity.High, context.NewSubject ? "known person, first login with this key" : network == LoginFlags.None ? "known person" : "known person, new network", identity, network),
    };

    /// <summary>A key that was stolen with the inside comes from elsewhere.</summary>
    private static LoginVerdict Tunnel(Identity site, IPAddress? from, LoginContext context, LoginFlags network) => site.Networks switch
    {
        { IsEmpty: false } uplinks when from is null || !uplinks.Any(u => u.Contains(from)) =>
            Told(Severity.Critical, $"tunnel of site {site.Name}, from a network that none of its uplinks has", site, network | LoginFlags.NewNetwork),
        _ when context.Moved => Told(Severity.High, $"tunnel of site {site.Name}, moved to another network", site, network | LoginFlags.NewNetwork),
        _ => Told(Severity.Low, $"tunnel of site {site.Name}", site, network) with { Tell = false },
    };

    /// <summary>A site has an account for its tunnel and one for bulk, and pushes its settings by a third.</summary>
    private static bool IsOwn(Identity identity, string account) => identity.Role switch
    {
        LoginRole.Person => account == identity.Name,
        LoginRole.Site => account == $"site-{identity.Name}" || account == $"site-{identity.Name}-bulk" || account == SyncAccount,
        LoginRole.Maintenance => account == "maintenance" || account == identity.Name,
        _ => false,
    };

    private static LoginVerdict Told(Severity severity, string why, Identity identity, LoginFlags flags) =>
        new(severity, why, true, identity.Role, identity.Name, identity.Device, flags);

    /// <summary>The account is named, not the owner of the key: it is the account that is remarkable.</summary>
    private static LoginVerdict Critical(string why, Login login, Identity? identity, LoginFlags flags) =>
        new(Severity.Critical, why, true, identity?.Role ?? LoginRole.Unknown, login.User, identity?.Device, flags);

    private static string Inside(Login login) => login.Kind == LoginKind.Console ? "at the console" : $"by {login.Kind.ToString().ToLowerInvariant()}";

    private static string Kind(string method) => method.Split('/')[0] is { Length: > 0 and <= 32 } kind ? kind : "another method";
}

/// <summary>Where somebody comes from, as coarse as it stays the same for a person at one place: /24, /64.</summary>
[PureCore]
internal static class LoginNetwork
{
    public static string Of(IPAddress? address)
    {
        if (address is null)
        {
            return "unknown";
        }

        var ip = address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address;
        var bytes = ip.GetAddressBytes();
        var kept = ip.AddressFamily == AddressFamily.InterNetwork ? 3 : 8;
        bytes.AsSpan(kept).Clear();
        return $"{new IPAddress(bytes)}/{kept * 8}";
    }
}
