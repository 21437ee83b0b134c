using System.Diagnostics.Tracing;
using System.Net;
using System.Net.Sockets;
using InternalHost.Wan.Links;
using InternalHost.Wan.Probes;
using Lab.World;

namespace Integration.Tests.Wan;

public sealed class UplinkResolverTests
{
    private static async Task<(HttpWorld World, DnsServer Second)> StartAsync(int net)
    {
        var world = await HttpWorld.StartAsync(net);
        var second = DnsServer.Start(new IPEndPoint(world.At(54), 0));
        second.Zone.Add(HttpWorld.Name, world.At(81));
        return (world, second);
    }

    private static async Task<string> ResolveAsync(HttpWorld world, params IPEndPoint[] servers) =>
        string.Join(' ', (await world.Resolver(servers).ResolveAsync(world.Backup, HttpWorld.Name, default)).Addresses);

    [Fact]
    public async Task Name_that_only_our_dns_knows_is_found_from_the_uplinks_address()
    {
        await using var world = await HttpWorld.StartAsync(51);

        Assert.Equal("127.51.0.80", await ResolveAsync(world));
        Assert.All(world.Dns.Seen, s => Assert.Equal(world.Backup.Address, s.From));
    }

    [Fact]
    public async Task Name_that_only_the_hosts_file_knows_is_not_found()
    {
        await using var world = await HttpWorld.StartAsync(52);
        var name = (await File.ReadAllLinesAsync("/etc/hosts")).Select(l => l.Split('#')[0].Split([' ', '\t'], StringSplitOptions.RemoveEmptyEntries))
            .SelectMany(w => w.Skip(1)).First(n => n != "localhost" && DnsMessage.IsName(n));
        Assert.NotEmpty(await Dns.GetHostAddressesAsync(name));   // the system does know it

        var e = await Assert.ThrowsAsync<UplinkException>(() => world.Resolver().ResolveAsync(world.Backup, name, default));

        Assert.Contains("DNS knows no address", e.Message);
        Assert.NotEmpty(world.Dns.Seen);
    }

    [Fact]
    public async Task Systems_resolver_is_never_asked()
    {
        await using var world = await HttpWorld.StartAsync(53);
        using var asked = new SystemResolutions();
        await Dns.GetHostAddressesAsync("127.53.0.99.control.invalid").ContinueWith(_ => { }, TaskScheduler.Default);

        Assert.Equal(HttpStatusCode.NoContent, (await world.Client().GetAsync(world.Url)).StatusCode);

        Assert.Contains(asked.Names, n => n.Contains("control.invalid", StringComparison.Ordinal));
        Assert.DoesNotContain(HttpWorld.Name, asked.Names);
    }

    [Fact]
    public async Task Resolver_of_this_machine_is_not_asked_for_a_real_uplink()
    {
        await using var world = await HttpWorld.StartAsync(69);

        var e = await Assert.ThrowsAsync<UplinkException>(() =>
            world.Resolver().ResolveAsync(world.Backup with { Interface = "eth0", Address = null }, HttpWorld.Name, default));

        Assert.Contains("a resolver of this machine", e.Message);
        Assert.Empty(world.Dns.Seen);
    }

    [Fact]
    public async Task Silent_udp_is_followed_by_tcp()
    {
        await using var world = await HttpWorld.StartAsync(54);
        world.Dns.Behaviour = new DnsBehaviour { UdpSilent = true };

        Assert.Equal("127.54.0.80", await ResolveAsync(world));
        Assert.Contains(world.Dns.Seen, s => s.Tcp && s.From.Equals(world.Backup.Address));
    }

    [Fact]
    public async Task Truncated_reply_is_followed_by_tcp()
    {
        await using var world = await HttpWorld.StartAsync(55);
        world.Dns.Behaviour = new DnsBehaviour { Truncates = true };

        Assert.Equal("127.55.0.80", await ResolveAsync(world));
        Assert.Contains(world.Dns.Seen, s => s.Tcp);
    }

    [Fact]
    public async Task Resolver_that_loses_the_case_is_understood_by_tcp()
    {
        await using var world = await HttpWorld.StartAsync(56);
        world.Dns.Behaviour = new DnsBehaviour { LosesCase = true };

        Assert.Equal("127.56.0.80", await ResolveAsync(world));
    }

    public static TheoryData<int, DnsBehaviour> Bad => new()
    {
        { 57, new DnsBehaviour { UdpSilent = true, TcpSilent = true } },
        { 58, new DnsBehaviour { Garbage = true } },
        { 59, new DnsBehaviour { Rcode = 2 } },
        { 60, new DnsBehaviour { Rcode = 5 } },
        { 61, new DnsBehaviour { WrongId = true } },
        { 62, new DnsBehaviour { Delay = TimeSpan.FromSeconds(20) } },
    };

    [Theory]
    [MemberData(nameof(Bad), DisableDiscoveryEnumeration = true)]
    public async Task Bad_server_is_passed_over_before_tcp_is_tried(int net, DnsBehaviour behaviour)
    {
        var (world, second) = await StartAsync(net);
        await using var _ = world;
        await using var __ = second;
        world.Dns.Behaviour = behaviour;

        Assert.Equal($"127.{net}.0.81", await ResolveAsync(world, world.Dns.EndPoint, second.EndPoint));
        Assert.DoesNotContain(second.Seen, s => s.Tcp);
    }

    [Fact]
    public async Task Refused_port_is_passed_over_at_once()
    {
        var (world, second) = await StartAsync(63);
        await using var _ = world;
        await using var __ = second;

        Assert.Equal("127.63.0.81", await ResolveAsync(world, new IPEndPoint(world.At(99), 9), second.EndPoint));
    }

    [Fact]
    public async Task Unknown_name_is_an_answer()
    {
        await using var world = await HttpWorld.StartAsync(64);

        var e = await Assert.ThrowsAsync<UplinkException>(() => world.Resolver().ResolveAsync(world.Backup, "nobody.lab.test", default));

        Assert.Contains("nobody.lab.test", e.Message);
        Assert.DoesNotContain(world.Dns.Seen, s => s.Tcp);
    }

    [Fact]
    public async Task Dead_dns_is_told_in_words()
    {
        await using var world = await HttpWorld.StartAsync(65);
        world.Dns.Behaviour = new DnsBehaviour { UdpSilent = true, TcpSilent = true };

        var e = await Assert.ThrowsAsync<UplinkException>(() => world.Resolver().ResolveAsync(world.Backup, HttpWorld.Name, default));

        Assert.Contains("backup uplink (lo, 127.65.0.2)", e.Message);
        Assert.Equal(SocketError.TimedOut, (e.InnerException as UplinkException)?.Code);
    }

    [Fact]
    public async Task Both_families_are_given_by_turns_where_the_uplink_has_no_address_of_its_own()
    {
        await using var world = await HttpWorld.StartAsync(66);
        world.Dns.Zone.Add(HttpWorld.Name, IPAddress.Parse("192.0.2.1"), IPAddress.Parse("192.0.2.2"), IPAddress.Parse("2001:db8::1"));

        var both = await world.Resolver().ResolveAsync(world.Backup with { Address = null }, HttpWorld.Name, default);
        var one = await world.Resolver().ResolveAsync(world.Backup, HttpWorld.Name, default);

        Assert.Equal(["2001:db8::1", "192.0.2.1", "192.0.2.2"], both.Addresses.Select(a => a.ToString()));
        Assert.Equal(["192.0.2.1", "192.0.2.2"], one.Addresses.Select(a => a.ToString()));
    }

    [Theory]
    [InlineData("192.0.2.7", "192.0.2.7")]
    [InlineData("2001:db8::7", "2001:db8::7")]
    [InlineData("localhost", "127.0.0.1 ::1")]
    public async Task Literal_needs_no_dns(string name, string addresses)
    {
        await using var world = await HttpWorld.StartAsync(67);

        var resolution = await world.Resolver().ResolveAsync(world.Backup, name, default);

        Assert.Equal(addresses, string.Join(' ', resolution.Addresses));
        Assert.Empty(world.Dns.Seen);
    }

    [Fact]
    public async Task Name_that_dns_cannot_carry_is_refused()
    {
        await using var world = await HttpWorld.StartAsync(68);

        await Assert.ThrowsAsync<UplinkException>(() => world.Resolver().ResolveAsync(world.Backup, "a b.lab.test", default));
    }

    /// <summary>Hears of every name the platform resolves in this process.</summary>
    private sealed class SystemResolutions : EventListener
    {
        private readonly Lock _gate = new();
        private readonly List<string> _names = [];

        public IReadOnlyList<string> Names
        {
            get
            {
                lock (_gate)
                {
                    return [.. _names];
                }
            }
        }

        protected override void OnEventSourceCreated(EventSource eventSource)
        {
            if (eventSource.Name == "System.Net.NameResolution")
            {
                EnableEvents(eventSource, EventLevel.Informational);
            }
        }

        protected override void OnEventWritten(EventWrittenEventArgs eventData)
        {
            if (eventData is { EventName: "ResolutionStart", Payload: [string name, ..] })
            {
                lock (_gate)
                {
                    _names.Add(name);
                }
            }
        }
    }
}
