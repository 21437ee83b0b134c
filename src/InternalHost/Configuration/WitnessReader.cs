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

    public static WitnessOptions Read(ConfigurationSection section)
    {
        var options = new WitnessOptions(
            section.Optional("isp_dns", NetworkValues.Endpoint(Dns)),
            section.Get("dns_a", NetworkValues.Endpoint(Dns), SiteDefaults.DnsA),
            section.Get("dns_b", NetworkValues.Endpoint(Dns), SiteDefaults.DnsB),
            Tls(section, "tls_a", SiteDefaults.TlsA),
            Tls(section, "tls_b", SiteDefaults.TlsB),
            section.List("resolvers", NetworkValues.Endpoint(Dns), SiteDefaults.Resolvers),
            section.List("time_servers", NetworkValues.Endpoint(Ntp), SiteDefaults.TimeServers),
            section.Get("probe_name", NetworkValues.HostName, SiteDefaults.ProbeName));
        section.Close();
        if (options.DnsA.Equals(options.DnsB))
        {
            section.Fail("dns_b", options.DnsB.ToString(), "is dns_a too: two witnesses must be two operators");
        }

        return options;
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
