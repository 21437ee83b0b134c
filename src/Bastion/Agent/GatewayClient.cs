using System.Net;
using Common.Alerts.Http;
using Common.Net;

namespace Bastion.Agent;

/// <summary>HTTP from the VM: one uplink, no proxy from the environment, no redirects (a key must not follow one).</summary>
internal static class GatewayClient
{
    private static readonly TimeSpan ConnectTimeout = TimeSpan.FromSeconds(10);

    /// <summary>A name may move to another address while the agent runs for months.</summary>
    private static readonly TimeSpan ConnectionLifetime = TimeSpan.FromMinutes(5);

    /// <param name="caFile">PEM of the only root that is believed; null: the system's.</param>
    public static HttpClient Create(string? caFile, TimeProvider time)
    {
        var handler = new SocketsHttpHandler
        {
            UseProxy = false,
            AllowAutoRedirect = false,
            UseCookies = false,
            ConnectTimeout = ConnectTimeout,
            PooledConnectionLifetime = ConnectionLifetime,
            AutomaticDecompression = DecompressionMethods.None,
            ConnectCallback = async (context, ct) => await NamedConnection.OpenAsync(context.DnsEndPoint.Host, context.DnsEndPoint.Port, time, ct),
        };
        if (caFile is not null)
        {
            handler.SslOptions.CertificateChainPolicy = PrivateRoot.Policy(caFile);
        }

        return new HttpClient(handler, disposeHandler: true) { Timeout = Timeout.InfiniteTimeSpan };   // the channel has its own
    }
}
