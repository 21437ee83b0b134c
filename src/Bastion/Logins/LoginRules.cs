using System.Net;
using System.Net.Sockets;
using Bastion.Configuration;
using Common;
using Common.Alerts;
using Common.Logins;

namespace Bastion.Logins;

/// <param name="Identity">Whose key it is, where it is one we know.</param>
/// <param name="NewNetwork">Nobody has come with this key (or account, without a key) from this network before.</param>
/// <param name="OwnAccount">In a private set-up: the one account that serves everybody, so that it being root says nothing.</param>
/// <param name="History">Already in the log, and older than an hour, when the agent came to this machine: not news.</param>
internal sealed record LoginContext(Identity? Identity, bool NewNetwork, string? OwnAccount = null, bool History = false);

/// <param name="Why">Which rule fired, in words for <c>alerts explain</c>.</param>
/// <param name="Tell">Push it to the owner. Every login is recorded, told or not.</param>
internal sealed record LoginVerdict(Severity Severity, string Why, bool Tell, LoginRole Role, string Who, string? Device, LoginFlags Flags);

/// <summary>
/// Login to alert. Gravest rule first; a known person is always told; a site's own tunnel is recorded and not pushed, by this rule
/// and by no hole in the capture.
/// </summary>
[PureCore]
internal static class LoginRules
{
    public static LoginVerdict Judge(Login login, LoginContext context)
    {
        var verdict = ByWho(login, context);
        return context.History
            ? verdict with { Severity = Severity.Low, Tell = false, Why = $"before the agent came here ({verdict.Why})" }
            : verdict;
    }

    private static LoginVerdict ByWho(Login login, LoginContext context)
    {
        var identity = context.Identity;
        var network = context.NewNetwork ? LoginFlags.NewNetwork : LoginFlags.None;
        return login switch
        {
            { Ambiguous: true } => Critical("the log line can be read in more than one way: a forged name", login, identity, network),
            { Kind: not LoginKind.Ssh } => new(Severity.High, Inside(login), true, LoginRole.Unknown, login.User, null, LoginFlags.None),
            _ when login.Methods.All(m => m.Name != "publickey") => Critical($"by {Kind(login.Method)}, not by key", login, null, network | LoginFlags.Password),
            _ when identity is null => Critical("key is in no list", login, null, network | LoginFlags.NewKey),
            { User: "root" } when context.OwnAccount != "root" => Critical("as root", login, identity, network),
            _ => Known(identity, network),
        };
    }

    private static LoginVerdict Known(Identity identity, LoginFlags network) => identity.Role switch
    {
        LoginRole.Site => new(Severity.Low, $"tunnel of site {identity.Name}", false, identity.Role, identity.Name, identity.Device, network),
        LoginRole.Maintenance => new(Severity.High, "maintenance key", true, identity.Role, identity.Name, identity.Device, network),
        _ => new(Severity.High, network == LoginFlags.None ? "known person" : "known person, new network", true, identity.Role, identity.Name, identity.Device, network),
    };

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
