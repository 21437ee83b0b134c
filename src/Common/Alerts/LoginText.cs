using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Common.Logins;
using Common.Text;

namespace Common.Alerts;

/// <summary>What is remarkable about a login.</summary>
[Flags]
public enum LoginFlags
{
    None = 0,
    NewNetwork = 1,
    NewKey = 2,
    NewUser = 4,

    /// <summary>By password, not by key.</summary>
    Password = 8,

    /// <summary>Went on through the tunnel to a host inside.</summary>
    GotInside = 16,

    /// <summary>In the log, but the PAM hook never saw it: somebody may have changed PAM.</summary>
    WithoutHook = 32,
    AfterFailures = 64,

    /// <summary>On the inside: through our own tunnel.</summary>
    ByTunnel = 128,

    /// <summary>Through the tunnel, and nobody is logged in at the bastion: who came there came by no door.</summary>
    NotAtBastion = 256,
}

/// <summary>
/// The text of a login:
/// <c>home LOGIN 02:31: alice, phone key, from 198.51.100.7 (new network), got inside. Not you? Stop VM bastion-home in cloud app. #7F3K</c>
/// </summary>
[PureCore]
public static class LoginText
{
    private const int SiteLimit = 12;
    private const int PersonLimit = 11;
    private const int DeviceLimit = 9;
    private const int VmLimit = 13;

    /// <param name="site">The site's label.</param>
    /// <param name="time">Local wall time as people read it; null where the clock is not to be trusted.</param>
    /// <param name="who">Person or account, as it came: it is sanitised here.</param>
    /// <param name="device">Name of the device whose key was used; null: not known.</param>
    /// <param name="from">The peer's address; null: not known.</param>
    /// <param name="vm">The VM's name in the provider's app; empty: not known; null: this host is not the VM.</param>
    /// <param name="at">Instead of an address: <c>by sudo of alice</c>, <c>at the console</c>.</param>
    public static string Compose(
        string site, DateTimeOffset? time, string who, string? device, IPAddress? from, LoginFlags flags, string? vm, string alertId, string? at = null)
    {
        var name = SafeText.Name(who);
        return SmsText.Fit(
            alertId,
            $"{SmsText.Field(site, SiteLimit)} LOGIN",
            SmsPart.Optional(7, time is { } now ? now.ToString(" HH:mm", CultureInfo.InvariantCulture) : ""),
            $": {SmsText.Name(name.Shown, PersonLimit)}",
            SmsPart.Optional(6, name.Odd ? " (strange name)" : ""),
            SmsPart.Optional(5, Key(device, flags)),
            flags.HasFlag(LoginFlags.ByTunnel) ? ", through the tunnel" : at is null ? $", from {Network(from)}" : $", {at}",
            SmsPart.Optional(4, Remark(flags)),
            SmsPart.Optional(3, flags.HasFlag(LoginFlags.GotInside) ? ", got inside" : ""),
            SmsPart.Keep(". Not you? "),
            vm is null ? "Type: internalhost close" : "Stop VM",
            SmsPart.Optional(2, string.IsNullOrEmpty(vm) ? "" : " " + SmsText.Field(vm, VmLimit)),
            SmsPart.Optional(1, vm is null ? "" : " in cloud app"),
            ".");
    }

    /// <summary>Where somebody is who did not come by the network; null: they did.</summary>
    /// <param name="by">Who asked; null: not known.</param>
    internal static string? At(LoginKind kind, string? by) => kind switch
    {
        LoginKind.Console => "at the console",
        LoginKind.Su or LoginKind.Sudo => $"by {kind.ToString().ToLowerInvariant()}{(by is null ? "" : $" of {SmsText.Name(SafeText.Name(by).Shown, PersonLimit)}")}",
        _ => null,
    };

    /// <summary>An IPv6 source is shown as its /64: the rest changes by the hour and says nothing.</summary>
    public static string Network(IPAddress? from)
    {
        if (from is null)
        {
            return "an unknown address";
        }

        var address = from.IsIPv4MappedToIPv6 ? from.MapToIPv4() : from;
        if (address.AddressFamily != AddressFamily.InterNetworkV6)
        {
            return address.ToString();
        }

        var bytes = address.GetAddressBytes();
        bytes.AsSpan(8).Clear();
        return $"{new IPAddress(bytes)}/64";
    }

    private static string Key(string? device, LoginFlags flags) => flags switch
    {
        _ when flags.HasFlag(LoginFlags.Password) => ", BY PASSWORD",
        _ when flags.HasFlag(LoginFlags.NewKey) => ", NEW KEY",
        _ when device is not null => $", {SmsText.Name(device, DeviceLimit)} key",
        _ => "",
    };

    /// <summary>The gravest only: there is no room for two.</summary>
    private static string Remark(LoginFlags flags) => flags switch
    {
        _ when flags.HasFlag(LoginFlags.NotAtBastion) => " (NO LOGIN AT BASTION)",
        _ when flags.HasFlag(LoginFlags.WithoutHook) => " (not seen by PAM)",
        _ when flags.HasFlag(LoginFlags.AfterFailures) => " (after failures)",
        _ when flags.HasFlag(LoginFlags.NewUser) => " (new user)",
        _ when flags.HasFlag(LoginFlags.NewNetwork) => " (new network)",
        _ => "",
    };
}
