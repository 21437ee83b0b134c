using System.Net;
using System.Net.Sockets;
using InternalHost.Configuration;
using InternalHost.Wan;
using InternalHost.Wan.Clock;
using InternalHost.Wan.Detection;
using InternalHost.Wan.Probes;
using Lab.World;

namespace Integration.Tests.Wan;

/// <summary>What counts as an answer, and what as a proof: real sockets bound to loopback addresses, real servers that misbehave.</summary>
public sealed class WitnessProberTests : IDisposable
{
    private const string Name = "a.witness.test";
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan Silence = TimeSpan.FromSeconds(1);

    private readonly LoopbackBlock _block = LoopbackBlock.Take();
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("wan");
    private readonly LabAuthority _authority = LabAuthority.Create();
    private readonly UplinkMeter _meter = new();
    private readonly UplinkOptions _uplink;
    private DateTimeOffset _now = TrustedTime.BuildDate.AddDays(1);

    public WitnessProberTests()
    {
        _uplink = new UplinkOptions(UplinkName.Backup, "lo", _block.Backup);
        _authority.WriteRoot(CaFile);
    }

    private string CaFile => Path.Combine(_folder.FullName, "ca.pem");

    public void Dispose()
    {
        _authority.Dispose();
        _block.Dispose();
        _folder.Delete(recursive: true);
    }

    [Fact]
    public async Task Dns_answer_counts_and_left_by_the_uplinks_address()
    {
        await using var dns = DnsServer.Start(new IPEndPoint(_block.Address(128), 0));

        Assert.Equal(ProbeOutcome.Answered, await AskDnsAsync(dns.EndPoint, random: false));
        Assert.Equal(ProbeOutcome.Answered, await AskDnsAsync(dns.EndPoint, random: true));

        Assert.All(dns.Seen, s => Assert.Equal(_block.Backup, s.From));
        Assert.Equal("probe.test", dns.Seen.First().Name, ignoreCase: true);
        Assert.EndsWith(".probe.test", dns.Seen.Last().Name, StringComparison.OrdinalIgnoreCase);
        Assert.True(_meter.Read(UplinkName.Backup) is { Sent: > 50, Received: > 50 });
    }

    [Fact]
    public async Task Dns_failure_is_still_an_answer()
    {
        await using var dns = DnsServer.Start(new IPEndPoint(_block.Address(128), 0));
        dns.Behaviour = new DnsBehaviour { Rcode = 2 };

        Assert.Equal(ProbeOutcome.Answered, await AskDnsAsync(dns.EndPoint));
    }

    [Fact]
    public async Task Dns_address_for_a_name_that_cannot_exist_is_a_hijack_unless_the_zone_has_a_wildcard()
    {
        await using var dns = DnsServer.Start(new IPEndPoint(_block.Address(128), 0));
        dns.Zone.Add("probe.test", IPAddress.Parse("198.18.0.1"));
        Assert.Equal(ProbeOutcome.Answered, await AskDnsAsync(dns.EndPoint, random: true));

        dns.Behaviour = new DnsBehaviour { HijackTo = IPAddress.Parse("198.51.100.1") };
        Assert.Equal(ProbeOutcome.Refuted, await AskDnsAsync(dns.EndPoint, random: true));
        Assert.Equal(ProbeOutcome.Answered, await AskDnsAsync(dns.EndPoint, random: false));
        Assert.Equal(ProbeOutcome.Answered, await AskDnsAsync(dns.EndPoint, random: true, mayInvent: true));

        dns.Behaviour = new DnsBehaviour();
        dns.Zone.Add("*.probe.test", IPAddress.Parse("198.18.0.1"));
        Assert.Equal(ProbeOutcome.Answered, await AskDnsAsync(dns.EndPoint, random: true, probe: new DnsProbe("probe.test", _meter) { HasWildcard = true }));
    }

    [Theory]
    [InlineData("10.0.0.1")]
    [InlineData("192.168.1.1")]
    [InlineData("100.64.0.1")]
    [InlineData("127.0.0.1")]
    [InlineData("203.0.113.254")] // the very gateway
    public async Task Dns_public_name_at_an_inside_address_is_a_hijack(string address)
    {
        await using var dns = DnsServer.Start(new IPEndPoint(_block.Address(128), 0));
        dns.Behaviour = new DnsBehaviour { HijackTo = IPAddress.Parse(address) };
        var probe = new DnsProbe("example.com", _meter) { HasWildcard = true };

        Assert.Equal(ProbeOutcome.Refuted, await AskDnsAsync(dns.EndPoint, probe: probe));
        Assert.Equal(ProbeOutcome.Refuted, await AskDnsAsync(dns.EndPoint, random: true, mayInvent: true, probe: probe));
    }

    [Theory]
    [InlineData("wrong id")]
    [InlineData("other case")]
    [InlineData("truncated")]
    [InlineData("garbage")]
    [InlineData("silent")]
    public async Task Dns_replies_that_do_not_answer_the_question_are_none(string how)
    {
        await using var dns = DnsServer.Start(new IPEndPoint(_block.Address(128), 0));
        dns.Behaviour = how switch
        {
            "wrong id" => new DnsBehaviour { WrongId = true },
            "other case" => new DnsBehaviour { LosesCase = true },
            "truncated" => new DnsBehaviour { Truncates = true },
            "garbage" => new DnsBehaviour { Garbage = true },
            _ => new DnsBehaviour { UdpSilent = true },
        };

        Assert.Equal(ProbeOutcome.Lost, await AskDnsAsync(dns.EndPoint, patience: Silence));
        Assert.NotEmpty(dns.Seen);
    }

    [Theory]
    [InlineData("another question")]
    [InlineData("cut off")]
    [InlineData("from another address")]
    [InlineData("a query")]
    public async Task Dns_forgeries_are_passed_over_and_the_real_answer_still_counts(string how)
    {
        using var server = Listen(_block.Address(128));
        using var stranger = Listen(_block.Address(129));
        var asking = AskDnsAsync((IPEndPoint)server.LocalEndPoint!);
        var (query, from) = await ReceiveAsync(server);
        var honest = Honest(query);

        var (forger, forged) = how switch
        {
            "another question" => (server, Changed(honest, 14, b => b ^ 1)),
            "cut off" => (server, honest[..^3]),
            "from another address" => (stranger, honest),
            _ => (server, query),
        };
        await forger.SendToAsync(forged, from);
        var early = await Task.WhenAny(asking, Task.Delay(300, CancellationToken.None)) == asking;
        await server.SendToAsync(honest, from);

        Assert.False(early);
        Assert.Equal(ProbeOutcome.Answered, await asking);
    }

    [Fact]
    public async Task Dns_port_that_is_closed_is_lost()
    {
        using var taken = Listen(_block.Address(128));
        var closed = (IPEndPoint)taken.LocalEndPoint!;
        taken.Dispose();

        Assert.Equal(ProbeOutcome.Lost, await AskDnsAsync(closed, patience: Silence));
    }

    [Fact]
    public async Task Uplink_whose_address_is_gone_is_lost_not_an_error()
    {
        await using var dns = DnsServer.Start(new IPEndPoint(_block.Address(128), 0));
        var gone = _uplink with { Address = IPAddress.Parse("192.0.2.77") };
        var missing = _uplink with { Interface = "nosuchif0" };

        Assert.Equal(ProbeOutcome.Lost, await new DnsProbe("probe.test", _meter).AskAsync(gone, dns.EndPoint, false, default));
        Assert.Equal(ProbeOutcome.Lost, await new DnsProbe("probe.test", _meter).AskAsync(missing, dns.EndPoint, false, default));
        Assert.Equal(ProbeOutcome.Lost, await Tls().AskAsync(gone, dns.EndPoint, true, default));
    }

    [Fact]
    public void Name_that_no_label_fits_below_is_refused_at_once()
    {
        var full = string.Join('.', Enumerable.Repeat(new string('a', 61), 4));

        Assert.Throws<ArgumentException>(() => new DnsProbe(full, _meter));
        Assert.Throws<ArgumentException>(() => new DnsProbe("not a name", _meter));
    }

    [Fact]
    public async Task Tls_name_that_is_proven_is_authenticated_and_a_connect_only_answered()
    {
        await using var server = await ServeAsync(_authority.Issue(Name));

        Assert.Equal(ProbeOutcome.Authenticated, await AskTlsAsync(server.EndPoint, full: true));
        Assert.Equal(ProbeOutcome.Authenticated, await AskTlsAsync(server.EndPoint, full: true));
        Assert.Equal(ProbeOutcome.Answered, await AskTlsAsync(server.EndPoint, full: false));

        Assert.All(server.Connections, c => Assert.Equal(_block.Backup, c.Address));
        Assert.True(_meter.Read(UplinkName.Backup) is { Sent: > 300, Received: > 600 });
    }

    [Fact]
    public async Task Tls_with_another_name_is_no_proof()
    {
        await using var server = await ServeAsync(_authority.Issue("portal.test"));

        Assert.Equal(ProbeOutcome.Refuted, await AskTlsAsync(server.EndPoint, full: true));
    }

    [Fact]
    public async Task Tls_with_an_untrusted_certificate_is_no_proof()
    {
        using var stranger = LabAuthority.Create("Somebody else");
        await using var server = await ServeAsync(stranger.Issue(Name));

        Assert.Equal(ProbeOutcome.Refuted, await AskTlsAsync(server.EndPoint, full: true));
    }

    [Fact]
    public async Task Tls_is_judged_by_trusted_time()
    {
        var soon = _now.AddDays(30);
        await using var server = await ServeAsync(_authority.Issue(_now.AddDays(-1), soon, Name));

        Assert.Equal(ProbeOutcome.Authenticated, await AskTlsAsync(server.EndPoint, full: true));
        _now = soon.AddDays(1);
        Assert.Equal(ProbeOutcome.Refuted, await AskTlsAsync(server.EndPoint, full: true));
    }

    [Fact]
    public async Task Tls_server_that_accepts_and_stays_silent_or_hangs_up_is_lost()
    {
        await using var server = await ServeAsync(_authority.Issue(Name));
        server.Silence.Cut(_block.Backup);
        using var rude = new TcpListener(_block.Address(130), 0);
        rude.Start();
        var hangsUp = Task.Run(async () => (await rude.AcceptSocketAsync()).Dispose());

        Assert.Equal(ProbeOutcome.Lost, await AskTlsAsync(server.EndPoint, full: true, Silence));
        Assert.Equal(ProbeOutcome.Lost, await AskTlsAsync((IPEndPoint)rude.LocalEndpoint, full: true));
        await hangsUp;
    }

    [Fact]
    public async Task Tls_port_that_speaks_something_else_is_no_proof()
    {
        using var other = new TcpListener(_block.Address(131), 0);
        other.Start();
        var speaks = Task.Run(async () =>
        {
            using var socket = await other.AcceptSocketAsync();
            await socket.SendAsync("HTTP/1.1 302 Found\r\nLocation: http://portal/\r\n\r\n"u8.ToArray());
            await socket.ReceiveAsync(new byte[1024]);
        });

        var outcome = await AskTlsAsync((IPEndPoint)other.LocalEndpoint, full: true);
        await speaks;

        Assert.True(outcome is ProbeOutcome.Refuted or ProbeOutcome.Lost, outcome.ToString());
    }

    private async Task<ProbeOutcome> AskDnsAsync(
        IPEndPoint server, bool random = false, TimeSpan? patience = null, bool mayInvent = false, DnsProbe? probe = null)
    {
        using var limit = new CancellationTokenSource(patience ?? TimeSpan.FromSeconds(30));
        var gateway = _uplink with { Gateway = IPAddress.Parse("203.0.113.254") };
        return await (probe ?? new DnsProbe("probe.test", _meter)).AskAsync(gateway, server, random, limit.Token, mayInvent);
    }

    private async Task<ProbeOutcome> AskTlsAsync(IPEndPoint server, bool full, TimeSpan? patience = null)
    {
        using var limit = new CancellationTokenSource(patience ?? Patience);
        return await Tls().AskAsync(_uplink, server, full, limit.Token);
    }

    private TlsProbe Tls()
    {
        var trusted = new TrustedTime(new NoKernelClock(), TimeProvider.System, null, TrustedTime.BuildDate);
        trusted.OfferSntp(_now, Common.Time.Instant.Now(TimeProvider.System));
        return new TlsProbe(Name, new ServerTrust(trusted, CaFile), _meter, TimeProvider.System);
    }

    private Task<TlsServer> ServeAsync(LabCertificate certificate) => TlsServer.StartAsync(new IPEndPoint(_block.Address(132), 0), certificate);

    private static Socket Listen(IPAddress address)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        socket.Bind(new IPEndPoint(address, 0));
        return socket;
    }

    private static async Task<(byte[] Packet, EndPoint From)> ReceiveAsync(Socket socket)
    {
        var buffer = new byte[512];
        var got = await socket.ReceiveFromAsync(buffer, new IPEndPoint(IPAddress.Any, 0));
        return (buffer[..got.ReceivedBytes], got.RemoteEndPoint);
    }

    /// <summary>The query with the response bit: an empty answer.</summary>
    private static byte[] Honest(byte[] query) => Changed(query, 2, b => b | 0x80);

    private static byte[] Changed(byte[] packet, int at, Func<int, int> change)
    {
        var copy = packet.ToArray();
        copy[at] = (byte)change(copy[at]);
        return copy;
    }

    private sealed class NoKernelClock : IKernelClock
    {
        public bool IsSynchronised => false;
    }
}
