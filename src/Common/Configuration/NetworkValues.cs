using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace Common.Configuration;

/// <summary>Addresses, endpoints, ports and names of the network as people write them.</summary>
[PureCore]
public static class NetworkValues
{
    private const int MaxHostName = 253;
    private const int MaxLabel = 63;

    /// <summary>IFNAMSIZ less its NUL.</summary>
    private const int MaxInterface = 15;

    public static Reading<int> Port(string text) => Quantities.WholeBetween(1, 65_535)(text);

    /// <summary>IPv4 in four parts or IPv6; no zone, no leading zeros (<c>010.0.0.1</c> would be read as octal).</summary>
    public static Reading<IPAddress> Address(string text) =>
        TryAddress(text) is { } address ? address : Reading.Bad("must be an IP address such as 192.168.1.5 or 2620:fe::fe");

    /// <summary><c>9.9.9.9</c>, <c>9.9.9.9:53</c>, <c>2620:fe::fe</c>, <c>[2620:fe::fe]:53</c>.</summary>
    public static Func<string, Reading<IPEndPoint>> Endpoint(int defaultPort) => text =>
        TryAddress(text) is { } bare ? new IPEndPoint(bare, defaultPort)
        : Split(text) is var (host, port) && TryAddress(host) is { } address ? new IPEndPoint(address, port)
        : Reading.Bad("must be ADDRESS or ADDRESS:PORT, an IPv6 address with a port in brackets: [2620:fe::fe]:53");

    /// <summary>A service's target: address or name, always with its port.</summary>
    public static Reading<(string Host, int Port)> HostAndPort(string text) =>
        Split(text) is var (host, port) && (TryAddress(host) is not null || IsHostName(host))
            ? (host, port)
            : Reading.Bad("must be HOST:PORT, such as 192.168.1.20:22");

    public static Reading<string> HostName(string text) =>
        IsHostName(text) ? text.ToLowerInvariant() : Reading.Bad("must be a DNS name such as home.example.net");

    public static Reading<string> Interface(string text) =>
        text.Length is > 0 and <= MaxInterface && text.All(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '-' or '_' or '@' or ':')
            ? text
            : Reading.Bad("must be the name of a network interface such as eth0");

    public static Reading<Uri> WebAddress(string text) =>
        Uri.TryCreate(text, UriKind.Absolute, out var uri) && uri.Scheme is "https" or "http" && uri.Host.Length > 0 && uri.UserInfo.Length == 0
            ? uri.Scheme == "https" || uri.IsLoopback ? uri : Reading.Bad("must be https (http is for this machine's own 127.0.0.1 only)")
            : Reading.Bad("must be a web address such as https://api.twilio.com");

    /// <summary>The last <c>:PORT</c> split off; brackets of an IPv6 address removed, and required.</summary>
    private static (string Host, int Port)? Split(string text)
    {
        var colon = text.LastIndexOf(':');
        if (colon <= 0 || Port(text[(colon + 1)..]) is not { Problem: null } port)
        {
            return null;
        }

        var host = text[..colon];
        var bracketed = host is ['[', .., ']'];
        return host.Contains(':') == bracketed ? (bracketed ? host[1..^1] : host, port.Value) : null;
    }

    private static IPAddress? TryAddress(string text) =>
        !text.Contains('%') && !text.Contains('[') && IPAddress.TryParse(text, out var address)
        && (address.AddressFamily == AddressFamily.InterNetworkV6 || address.ToString() == text)
            ? address
            : null;

    private static bool IsHostName(string text) =>
        text.Length is > 0 and <= MaxHostName && !text.All(c => char.IsAsciiDigit(c) || c == '.') && text.Split('.').All(IsLabel);

    private static bool IsLabel(string label) =>
        label.Length is > 0 and <= MaxLabel && label[0] != '-' && label[^1] != '-' && label.All(c => char.IsAsciiLetterOrDigit(c) || c == '-');
}
