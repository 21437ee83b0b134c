using System.Globalization;
using System.Net;
using Lab.World;

namespace Lab.Faults;

/// <summary>
/// <c>lab liar ADDRESS DNS-PORT</c>: what a captive portal and a hijacking provider put before their customers. Every name has this one
/// address; its port 80 sends everybody to the portal's page, its port 443 shows a certificate of nobody's.
/// </summary>
internal static class LiarCommand
{
    public const string PortalName = "portal.isp.test";

    public static async Task<int> RunAsync(string address, string dnsPort, CancellationToken ct)
    {
        if (!IPAddress.TryParse(address, out var at) || !ushort.TryParse(dnsPort, NumberStyles.None, CultureInfo.InvariantCulture, out var port))
        {
            await Console.Error.WriteLineAsync("usage: lab liar ADDRESS DNS-PORT");
            return 2;
        }

        using var authority = LabAuthority.Create("Portal");
        await using var dns = DnsServer.Start(new IPEndPoint(at, port));
        dns.Behaviour = new DnsBehaviour { HijackTo = at };
        await using var http = await TlsServer.StartAsync(new IPEndPoint(at, 80), null, context =>
        {
            context.Response.Redirect($"http://{PortalName}/login");
            return Task.CompletedTask;
        });
        await using var tls = await TlsServer.StartAsync(new IPEndPoint(at, 443), authority.Issue(PortalName));
        await Task.Delay(Timeout.Infinite, ct);
        return 0;
    }
}
