using System.Collections.Immutable;
using System.Net;
using Common;
using Common.Configuration;

namespace InternalHost.Configuration;

/// <summary>The <c>witnesses</c> section.</summary>
[PureCore]
internal static class WitnessReader
{
    private const int Dns = 53;
    private const int Https = 443;
    private const int Ntp = 123;
    private const int Stun = 3478;
    private const string Off = "off";
    private const string TextRecord = "/TXT";

    public static WitnessOptions Read(ConfigurationSection section)
    {
        var options = new WitnessOptions(
            section.List("isp_dns", NetworkValues.Endpoint(Dns), []),
            section.List("dns_a", NetworkValues.Endpoint(Dns), SiteDefaults.DnsA),
            section.List("dns_b", NetworkValues.Endpoint(Dns), SiteDefaults.DnsB),
            Tls(section, "tls_a", SiteDefaults.TlsA),
            Tls(section, "tls_b", SiteDefaults.TlsB),
            section.List("resolvers", NetworkValues.Endpoint(Dns), SiteDefaults.Resolvers),
            section.List("time_servers", NetworkValues.Endpoint(Ntp), SiteDefaults.TimeServers),
            section.Get("probe_name", NetworkValues.HostName, SiteDefaults.ProbeName))
        {
            ProbeNameHasWildcard = section.Get("probe_name_has_wildcard", SiteReader.YesNo, false),
            Http = section.Get("http", OffOr<Uri?>(PlainHttp, null), SiteDefaults.Http),
            Stun = OffOrList(section, "stun", Server(Stun), SiteDefaults.Stun),
            WhoAmI = OffOrList(section, "whoami", WhoAmI, SiteDefaults.WhoAmI),
        };
        section.Close();
        if (options.DnsB.FirstOrDefault(options.DnsA.Contains) is { } both)
        {
            section.Fail("dns_b", both.ToString(), "is in dns_a too: two witnesses must be two operators");
        }

        return options;
    }

    private static Func<string, Reading<T>> OffOr<T>(Func<string, Reading<T>> read, T off) => text => text == Off ? off : read(text);

    private static ImmutableArray<T> OffOrList<T>(ConfigurationSection section, string key, Func<string, Reading<T>> read, ImmutableArray<T> fallback)
        where T : class
    {
        var values = section.List<T?>(key, OffOr<T?>(text => Nullable(read(text)), null), [.. fallback]);
        if (values.Length > 1 && values.Contains(null))
        {
            section.Fail(key, Off, "stands alone or not at all: off, or a list of servers");
        }

        return [.. values.OfType<T>()];
    }

    private static Reading<T?> Nullable<T>(Reading<T> reading)
        where T : class => new(reading.Value, reading.Problem);

    private static Reading<Uri?> PlainHttp(string text) =>
        Uri.TryCreate(text, UriKind.Absolute, out var uri) && uri.Scheme == Uri.UriSchemeHttp && uri.Host.Length > 0 && uri.UserInfo.Length == 0
            ? uri
            : Reading.Bad("must be off or a plain http:// address that answers 204 and nothing else (a portal cannot step into https)");

    /// <summary><c>HOST</c>, <c>HOST:PORT</c>, <c>ADDRESS</c>, <c>ADDRESS:PORT</c>, <c>[V6]:PORT</c>.</summary>
    private static Func<string, Reading<DnsEndPoint>> Server(int defaultPort) => text =>
        NetworkValues.Endpoint(defaultPort)(text) is { Problem: null, Value: { } endpoint } ? new DnsEndPoint(endpoint.Address.ToString(), endpoint.Port)
        : NetworkValues.HostName(text) is { Problem: null, Value: { } name } ? new DnsEndPoint(name, defaultPort)
        : NetworkValues.HostAndPort(text) is { Problem: null } both ? new DnsEndPoint(both.Value.Host, both.Value.Port)
        : Reading.Bad("must be HOST, HOST:PORT, ADDRESS or ADDRESS:PORT, an IPv6 address with a port in brackets");

    /// <summary><c>myip.opendns.com@resolver1.opendns.com</c>, <c>o-o.myaddr.l.google.com/TXT@ns1.google.com</c>.</summary>
    private static Reading<WhoAmI> WhoAmI(string text)
    {
        var at = text.IndexOf('@', StringComparison.Ordinal);
        var asked = at < 0 ? text : text[..at];
        var isText = asked.EndsWith(TextRecord, StringComparison.OrdinalIgnoreCase);
        var name = NetworkValues.HostName(isText ? asked[..^TextRecord.Length] : asked);
        var server = Server(Dns)(text[(at + 1)..]);
        return at > 0 && name.Problem is null && server.Problem is null
            ? new WhoAmI(name.Value!, isText, server.Value!)
            : Reading.Bad("must be NAME@SERVER or NAME/TXT@SERVER: a name that this very server answers with the asker's address");
    }

    private static TlsWitness Tls(ConfigurationSection section, string key, TlsWitness fallback)
    {
        if (!section.Has(key))
        {
            return fallback;
        }

        var tls = section.Section(key);
        var witness = new TlsWitness(
            tls.Need("name", NetworkValues.HostName, "the name that its certificate must carry") ?? "",
            tls.List("addresses", NetworkValues.Endpoint(Https), []),
            tls.Optional("ca", SiteReader.FullPath));
        if (!tls.Has("addresses"))
        {
            tls.Fail("addresses", "", "is missing: it is asked by address, so that no resolver is needed");
        }

        tls.Close();
        return witness;
    }
}
