using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using Common.Processes;
using Lab.Demo;
using Lab.World;
using Testing;

namespace Integration.Tests.World;

public sealed class DemoWorldTests
{
    private const int SolSocket = 1;
    private const int BindToDevice = 25;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan Silence = TimeSpan.FromSeconds(1);

    private readonly SystemProcessLauncher _launcher = new(TimeProvider.System);

    [Fact]
    public async Task Loopback_world_answers_by_both_uplinks_and_falls_dark_on_the_one_that_is_cut()
    {
        await using var world = await LoopbackDemoWorld.StartAsync([49022], _launcher, TimeProvider.System);

        await CutAndRestoreAsync(world, make => Task.FromResult(make()));
    }

    [NeedsFact(Need.Root | Need.NetworkNamespaces | Need.Nft)]
    public async Task Namespace_world_answers_by_both_uplinks_and_falls_dark_on_the_one_that_is_cut()
    {
        await using var world = await NamespaceDemoWorld.StartAsync('B', fallsOver: false, _launcher, TimeProvider.System, default);

        await CutAndRestoreAsync(world, world.AtHomeAsync);
    }

    private static async Task CutAndRestoreAsync(IDemoWorld world, Func<Func<Socket>, Task<Socket>> atHome)
    {
        var before = (await AnswersAsync(world, world.Places.Primary!, atHome), await AnswersAsync(world, world.Places.Backup, atHome));
        await world.CutPrimaryAsync(default);
        var cut = (await AnswersAsync(world, world.Places.Primary!, atHome, Silence), await AnswersAsync(world, world.Places.Backup, atHome));
        await world.RestorePrimaryAsync(default);
        var after = await AnswersAsync(world, world.Places.Primary!, atHome);
        var (up, down) = await world.BackupBytesAsync(default);

        const string all = "isp_dns dns_a dns_b time stun_a stun_b tls_a tls_b http";
        Assert.Equal((all, all), before);
        Assert.Equal(("", all), cut);
        Assert.Equal(all, after);
        Assert.True(up > 0 && down > 0);
    }

    /// <summary>Which of the witnesses answer by this uplink.</summary>
    private static async Task<string> AnswersAsync(
        IDemoWorld world, UplinkPlace uplink, Func<Func<Socket>, Task<Socket>> atHome, TimeSpan? patience = null)
    {
        var root = Path.GetTempFileName();
        world.WriteRoot(root);
        var servers = world.Places.Servers;
        var asked = new (string Name, Task<bool> Answer)[]
        {
            ("isp_dns", DatagramAsync(servers.IspDns, Query())),
            ("dns_a", DatagramAsync(servers.DnsA, Query())),
            ("dns_b", DatagramAsync(servers.DnsB, Query())),
            ("time", DatagramAsync(servers.Time, [0x23, .. new byte[47]])),
            ("stun_a", DatagramAsync(servers.StunA, Binding())),
            ("stun_b", DatagramAsync(servers.StunB, Binding())),
            ("tls_a", TlsAsync(servers.TlsA, WorldServers.NameA)),
            ("tls_b", TlsAsync(servers.TlsB, WorldServers.NameB)),
            ("http", NoContentAsync(servers.Http)),
        };
        await Task.WhenAll(asked.Select(a => a.Answer));
        File.Delete(root);
        return string.Join(' ', asked.Where(a => a.Answer.Result).Select(a => a.Name));

        async Task<bool> DatagramAsync(IPEndPoint server, byte[] question)
        {
            using var socket = await BoundAsync(SocketType.Dgram, ProtocolType.Udp);
            await socket.SendToAsync(question, server);
            return await InTimeAsync(patience ?? Patience, async ct => (await socket.ReceiveFromAsync(new byte[512], server, ct)).ReceivedBytes > 12);
        }

        async Task<bool> TlsAsync(IPEndPoint server, string name)
        {
            using var socket = await BoundAsync(SocketType.Stream, ProtocolType.Tcp);
            return await InTimeAsync(patience ?? Patience, async ct =>
            {
                await socket.ConnectAsync(server, ct);
                await using var tls = new SslStream(new NetworkStream(socket), leaveInnerStreamOpen: false);
                var trust = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
                trust.CustomTrustStore.Add(X509CertificateLoader.LoadCertificateFromFile(root));
                await tls.AuthenticateAsClientAsync(new SslClientAuthenticationOptions { TargetHost = name, CertificateChainPolicy = trust }, ct);
                return true;
            });
        }

        async Task<bool> NoContentAsync(IPEndPoint server)
        {
            using var socket = await BoundAsync(SocketType.Stream, ProtocolType.Tcp);
            return await InTimeAsync(patience ?? Patience, async ct =>
            {
                await socket.ConnectAsync(server, ct);
                await socket.SendAsync("GET / HTTP/1.1\r\nHost: x\r\n\r\n"u8.ToArray(), ct);
                var reply = new byte[512];
                var length = await socket.ReceiveAsync(reply, ct);
                return reply.AsSpan(0, length).StartsWith("HTTP/1.1 204 "u8);
            });
        }

        async Task<Socket> BoundAsync(SocketType type, ProtocolType protocol)
        {
            var socket = await atHome(() => new Socket(AddressFamily.InterNetwork, type, protocol));
            socket.SetRawSocketOption(SolSocket, BindToDevice, System.Text.Encoding.ASCII.GetBytes(uplink.Interface + "\0"));
            socket.Bind(new IPEndPoint(uplink.Address, 0));
            return socket;
        }
    }

    private static async Task<bool> InTimeAsync(TimeSpan patience, Func<CancellationToken, Task<bool>> ask)
    {
        using var limit = new CancellationTokenSource(patience);
        try
        {
            return await ask(limit.Token);
        }
        catch (OperationCanceledException)
        {
            return false;
        }
    }

    /// <summary>A STUN binding request (RFC 8489 section 5).</summary>
    private static byte[] Binding() => [0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42, .. "transaction!"u8];

    /// <summary>An A question for probe.test (RFC 1035 4.1).</summary>
    private static byte[] Query() => [0x12, 0x34, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 5, .. "probe"u8, 4, .. "test"u8, 0, 0, 1, 0, 1];
}
