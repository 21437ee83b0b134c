using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using InternalHost.Wan.Probes;
using Lab.World;
using Microsoft.AspNetCore.Http;

namespace Integration.Tests.World;

/// <summary>The lab's own servers are proven first, with other clients than the product's.</summary>
public sealed class WorldServersTests
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(30);

    [Fact]
    public async Task Dns_server_answers_its_zone_by_udp_and_tcp()
    {
        await using var dns = DnsServer.Start(new IPEndPoint(IPAddress.Parse("127.42.0.53"), 0));
        dns.Zone.AddAlias("www.lab.test", "edge.lab.test");
        dns.Zone.Add("*.lab.test", IPAddress.Parse("192.0.2.1"));

        var reply = await AskUdpAsync(dns.EndPoint, DnsMessage.Query("www.lab.test", DnsType.A, 7));
        var none = await AskUdpAsync(dns.EndPoint, DnsMessage.Query("nowhere.test", DnsType.A, 8));
        var overTcp = await AskTcpAsync(dns.EndPoint, DnsMessage.Query("www.lab.test", DnsType.A, 9));

        Assert.Equal(["192.0.2.1"], reply.Addresses().Select(a => a.ToString()));
        Assert.Equal(DnsRcode.NameError, none.Rcode);
        Assert.Equal(["192.0.2.1"], overTcp.Addresses().Select(a => a.ToString()));
        Assert.Equal([false, false, true], dns.Seen.Select(s => s.Tcp));
    }

    [Fact]
    public async Task Dns_server_hears_nothing_from_a_cut_source()
    {
        await using var dns = DnsServer.Start(new IPEndPoint(IPAddress.Parse("127.42.0.54"), 0));
        dns.Zone.Add("a.lab.test", IPAddress.Parse("192.0.2.1"));
        dns.Silence.Cut(IPAddress.Parse("127.42.0.1"));

        var query = DnsMessage.Query("a.lab.test", DnsType.A, 7);
        await Assert.ThrowsAsync<TimeoutException>(() => AskUdpAsync(dns.EndPoint, query, "127.42.0.1", TimeSpan.FromMilliseconds(200)));
        var other = await AskUdpAsync(dns.EndPoint, query, "127.42.0.2");
        dns.Silence.Restore(IPAddress.Parse("127.42.0.1"));
        var restored = await AskUdpAsync(dns.EndPoint, query, "127.42.0.1");

        Assert.Equal((1, 1), (other.Answers.Length, restored.Answers.Length));
    }

    [Fact]
    public async Task Tls_server_shows_the_authoritys_certificate_and_sees_its_client()
    {
        using var authority = LabAuthority.Create();
        using var certificate = authority.Issue("api.lab.test");
        await using var server = await TlsServer.StartAsync(
            new IPEndPoint(IPAddress.Parse("127.42.0.80"), 0), certificate, context => context.Response.WriteAsync("hello"));
        using var client = PinnedClient(authority, server.EndPoint);

        var text = await client.GetStringAsync(new Uri($"https://api.lab.test:{server.EndPoint.Port}/"));

        Assert.Equal("hello", text);
        Assert.Single(server.Connections);
    }

    [Fact]
    public void Certificate_goes_through_pem_files()
    {
        var folder = Directory.CreateTempSubdirectory("world");
        try
        {
            using var authority = LabAuthority.Create();
            using var issued = authority.Issue("api.lab.test");
            var (pem, key) = (Path.Combine(folder.FullName, "c.pem"), Path.Combine(folder.FullName, "k.pem"));

            issued.WritePem(pem, key);
            using var read = LabCertificate.FromPem(pem, key);

            Assert.Equal(issued.Certificate.Thumbprint, read.Certificate.Thumbprint);
            Assert.True(read.Certificate.HasPrivateKey);
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(key));
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    [Fact]
    public async Task Tls_server_never_answers_a_cut_source()
    {
        await using var server = await TlsServer.StartAsync(new IPEndPoint(IPAddress.Parse("127.42.0.81"), 0), certificate: null);
        server.Silence.Cut(IPAddress.Loopback);
        using var client = new HttpClient();

        var answer = client.GetAsync(new Uri($"http://{server.EndPoint}/"));
        await Assert.ThrowsAsync<TimeoutException>(() => answer.WaitAsync(TimeSpan.FromMilliseconds(200)));
        server.Silence.Restore(IPAddress.Loopback);

        Assert.Equal(HttpStatusCode.NoContent, (await answer.WaitAsync(Limit)).StatusCode);
    }

    private static HttpClient PinnedClient(LabAuthority authority, IPEndPoint to) => new(new SocketsHttpHandler
    {
        ConnectCallback = async (_, ct) =>
        {
            var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
            await socket.ConnectAsync(to, ct);
            return new NetworkStream(socket, ownsSocket: true);
        },
        SslOptions = new SslClientAuthenticationOptions
        {
            CertificateChainPolicy = new X509ChainPolicy
            {
                TrustMode = X509ChainTrustMode.CustomRootTrust,
                CustomTrustStore = { authority.Root },
                RevocationMode = X509RevocationMode.NoCheck,
            },
        },
    });

    private static async Task<DnsReply> AskUdpAsync(IPEndPoint server, byte[] query, string from = "127.0.0.1", TimeSpan? limit = null)
    {
        using var udp = new UdpClient(new IPEndPoint(IPAddress.Parse(from), 0));
        await udp.SendAsync(query, server);
        var got = await udp.ReceiveAsync().WaitAsync(limit ?? Limit);
        Assert.True(DnsMessage.TryParse(got.Buffer, out var reply));
        return reply;
    }

    private static async Task<DnsReply> AskTcpAsync(IPEndPoint server, byte[] query)
    {
        using var tcp = new TcpClient();
        await tcp.ConnectAsync(server).WaitAsync(Limit);
        var stream = tcp.GetStream();
        await stream.WriteAsync((byte[])[0, (byte)query.Length, .. query]);
        var length = new byte[2];
        await stream.ReadExactlyAsync(length);
        var reply = new byte[length[0] << 8 | length[1]];
        await stream.ReadExactlyAsync(reply);
        Assert.True(DnsMessage.TryParse(reply, out var read));
        return read;
    }
}
