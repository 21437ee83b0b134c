using System.Net;
using Common.Processes;
using Lab.Net;
using Lab.World;
using Microsoft.AspNetCore.Http;

namespace Lab.Demo;

/// <summary>For root: two providers, carrier-grade NAT on the backup, and a home that is wired A, B or C.</summary>
internal sealed class NamespaceDemoWorld : IDemoWorld
{
    private const int GatewayPort = 8443;
    private const int StunPort = 3478;
    private const int RouterPort = 7001;
    private const int SocksPort = 1080;

    /// <summary>Nobody listens there: the router's refusal is the answer.</summary>
    private const int OutsidePort = 9;

    private readonly LabNet _net;
    private readonly char _wiring;
    private readonly BackupFamily _backup;
    private readonly IProcessLauncher _launcher;
    private readonly Stack<IAsyncDisposable> _parts = new();
    private WorldServers? _servers;

    private NamespaceDemoWorld(LabNet net, char wiring, bool fallsOver, BackupFamily backup, IProcessLauncher launcher)
    {
        (_net, _wiring, FallsOver, _backup, _launcher) = (net, wiring, fallsOver, backup, launcher);
        Places = new Places(
            wiring == 'C' ? null : new UplinkPlace(net.Addresses["primary_interface"], Address("primary_address")),
            new UplinkPlace(net.Addresses["backup_interface"], Address(backup == BackupFamily.V4 ? "backup_address" : "backup_address_v6")),
            new ServerPlan(
                IspDns: new(Address("isp_dns"), 53),
                DnsA: new(Address("dns_a"), 53),
                DnsB: new(Address("dns_b"), 53),
                TlsA: new(Address("tls_a"), 443),
                TlsB: new(Address("tls_b"), 443),
                Time: new(Address("time"), 123),
                StunA: new(Address("stun_a"), StunPort),
                StunB: new(Address("stun_b"), StunPort),
                Http: new(Address("tls_a"), 80)),
            new IPEndPoint(Address("gateway"), GatewayPort),
            Address("bastion"),
            Address("bastion_behind"),
            IPAddress.Parse("127.0.0.30"));
        if (backup != BackupFamily.V4)
        {
            Places = Places with { CarrierDns = new(Address("carrier_dns"), 53) };
        }

        if (backup == BackupFamily.V6)
        {
            Places = Places with { ServersV6 = Places.Servers.Select(InV6) with { IspDns = Places.CarrierDns! }, BastionV6 = InV6(new(Places.Bastion, 0)).Address };
        }
    }

    public string Description => $"network namespaces {_net.Prefix}*, wiring {_wiring}: " + _wiring switch
    {
        'A' => "an interface for each uplink",
        'B' => "one wire, a router that sends each of two source addresses by one uplink",
        _ => "this host is routed by the backup only; its router, a box on the LAN and the outside tell of the primary",
    } + (FallsOver ? "; the router falls over by itself" : "") + _backup switch
    {
        BackupFamily.V6 => "; the backup has IPv6 only, and so has the VM beside its IPv4",
        BackupFamily.V6WithNat64 => "; the backup has IPv6 only, and its carrier's NAT64 leads to a world of IPv4",
        _ => "; carrier-grade NAT on the backup",
    };

    public Places Places { get; }

    public string PrimaryUplink => _wiring switch
    {
        'A' => $"{{interface: {Places.Primary!.Interface}, address: {Places.Primary.Address}, carrier: modem}}",
        'B' => $"{{interface: {Places.Primary!.Interface}, address: {Places.Primary.Address}}}",
        _ => $"{{observe: {{command: [{Path.Combine(Repository.Root, "lab", "ask-router")}, {Address("router")}, \"{RouterPort}\"], "
            + $"lan: \"{Address("box")}:{SocksPort}\", outside: \"{Address("primary_public")}:{OutsidePort}\"}}}}",
    };

    public bool FallsOver { get; }

    public IPAddress BackupSeen => Address(_backup == BackupFamily.V6 ? "backup_address_v6" : "backup_public");

    /// <summary>There is no way to lead IPv6 to a loopback address, as IPv4 is: the VM's sshd listens at its own.</summary>
    public IReadOnlyList<string> SshdConfiguration =>
        ["UsePAM yes", .. Places.BastionV6 is { } v6 ? DemoPorts.Bastion.Select(p => $"ListenAddress {new IPEndPoint(v6, p)}") : []];

    public IProcessLauncher Home => new Inside(_net, "home", _launcher);

    public IProcessLauncher Cloud => new Inside(_net, "cloud", _launcher);

    public IProcessLauncher Away => new Inside(_net, "away", _launcher);

    /// <summary>Wiring C: a machine of the LAN on which the home is at <see cref="UplinkPlace.Address"/> of the backup.</summary>
    public IProcessLauncher Lan => new Inside(_net, "box", _launcher);

    /// <exception cref="LabNetException">Also where this machine cannot make it.</exception>
    public static async Task<NamespaceDemoWorld> StartAsync(
        char wiring, bool fallsOver, IProcessLauncher launcher, TimeProvider time, CancellationToken ct, BackupFamily backup = BackupFamily.V4)
    {
        var world = new NamespaceDemoWorld(await LabNet.UpAsync(wiring, fallsOver, launcher, ct), wiring, fallsOver, backup, launcher);
        try
        {
            if (backup != BackupFamily.V4)
            {
                await world.FaultAsync(ct, backup == BackupFamily.V6 ? ["v6-only"] : ["v6-only", "nat64"]);
            }

            await world.ServeAsync(time);
            if (wiring == 'C')
            {
                world.Box("router", "router-watch", $"{world.Address("router")}:{RouterPort}", "fibre", $"{world.Address("dns_a")}");
                world.Box("box", "socks", $"{world.Address("box")}:{SocksPort}");
            }

            return world;
        }
        catch
        {
            await world.DisposeAsync();
            throw;
        }
    }

    /// <summary>Makes a socket that belongs to the home.</summary>
    public Task<T> AtHomeAsync<T>(Func<T> make) => _net.InAsync("home", make);

    /// <summary>Makes a socket that belongs to the cloud.</summary>
    public Task<T> InCloudAsync<T>(Func<T> make) => _net.InAsync("cloud", make);

    /// <summary>Any other fault by its name.</summary>
    public Task FaultAsync(CancellationToken ct, params string[] words) => _net.FaultAsync(ct, words);

    public Task ClearAsync(string name, CancellationToken ct) => _net.ClearAsync(name, ct);

    public void WriteRoot(string path) => _servers!.WriteRoot(path);

    public async Task<TlsServer> ServeGatewayAsync(RequestDelegate respond)
    {
        var certificate = _servers!.Issue(WorldServers.GatewayName, $"{Places.Gateway.Address}");
        var v6 = Places.ServersV6 is null ? null : InV6(Places.Gateway);
        var server = (TlsServer)await In("cloud")(async () => await TlsServer.StartAsync(Places.Gateway, certificate, respond, v6));
        _parts.Push(server);
        return server;
    }

    public Task CutPrimaryAsync(CancellationToken ct) => _net.FaultAsync(ct, "primary-down");

    public Task RestorePrimaryAsync(CancellationToken ct) => _net.ClearAsync("primary-down", ct);

    public Task<(long Up, long Down)> BackupBytesAsync(CancellationToken ct) => _net.BackupBytesAsync(ct);

    public async ValueTask DisposeAsync()
    {
        while (_parts.TryPop(out var part))
        {
            await part.DisposeAsync();
        }

        await _net.DisposeAsync();
    }

    private async Task ServeAsync(TimeProvider time)
    {
        var names = new Dictionary<string, IPAddress[]>(StringComparer.Ordinal)
        {
            [WorldServers.NameA] = InAll(p => p.TlsA),
            [WorldServers.NameB] = InAll(p => p.TlsB),
            [WorldServers.HttpName] = InAll(p => p.Http),
            [WorldServers.GatewayName] = Places.ServersV6 is null ? [Places.Gateway.Address] : [Places.Gateway.Address, InV6(Places.Gateway).Address],
        };
        _servers = await WorldServers.StartAsync(Places.Servers, names, time, In("cloud"), In("isp1"));
        _parts.Push(_servers);
        if (Places.ServersV6 is { } v6)
        {
            await _servers.AddAsync(v6, names, time, In("cloud"), In("isp2"));
        }
        else if (Places.CarrierDns is { } carrier)
        {
            _parts.Push(await In("isp2")(() => Task.FromResult<IAsyncDisposable>(Dns64(carrier, names))));
        }
    }

    /// <summary>A resolver that shows where the network's NAT64 is (RFC 7050), and has an IPv6 address for every name (RFC 6147).</summary>
    private DnsServer Dns64(IPEndPoint at, Dictionary<string, IPAddress[]> names)
    {
        var prefix = Address("nat64_prefix").GetAddressBytes()[..12];
        var resolver = WorldServers.Resolver(at, names.ToDictionary(n => n.Key, n => (IPAddress[])[.. n.Value, .. n.Value.Select(Behind)], StringComparer.Ordinal));
        IPAddress[] wellKnown = [new([192, 0, 0, 170]), new([192, 0, 0, 171])];
        resolver.Zone.Add("ipv4only.arpa", [.. wellKnown, .. wellKnown.Select(Behind)]);
        return resolver;

        IPAddress Behind(IPAddress v4) => new([.. prefix, .. v4.GetAddressBytes()]);
    }

    private IPAddress[] InAll(Func<ServerPlan, IPEndPoint> server) => [.. Places.All(server).Select(p => p.Address)];

    /// <summary>A server of the cloud has the same last number in both families.</summary>
    private IPEndPoint InV6(IPEndPoint v4) =>
        new(IPAddress.Parse($"{_net.Addresses["world_v6"]}{v4.Address.ToString().Split('.')[3]}"), v4.Port);

    private IPAddress Address(string key) => IPAddress.Parse(_net.Addresses[key]);

    /// <summary>A server binds its sockets before its first real wait, so that they are made on the thread that stands in the namespace.</summary>
    private Placer In(string part) => make => _net.InAsync(part, () => make().GetAwaiter().GetResult());

    /// <summary>Another machine of the home's LAN; it ends with the network.</summary>
    private void Box(string part, params string[] words) =>
        _parts.Push(_launcher.Start(_net.In(part, Programs.Lab(words)), (_, _) => { }));

    private sealed class Inside(LabNet net, string part, IProcessLauncher launcher) : IProcessLauncher
    {
        public IChildProcess Start(ProcessSpec spec, Action<ProcessStream, string> onLine) => launcher.Start(net.In(part, spec), onLine);
    }
}

/// <summary>What the backup's carrier gives (wiring A).</summary>
internal enum BackupFamily
{
    /// <summary>An IPv4 address behind carrier-grade NAT.</summary>
    V4 = 0,

    /// <summary>IPv6 only; witnesses, gateway and VM have both families.</summary>
    V6 = 1,

    /// <summary>IPv6 only; all others have IPv4 only, and the carrier translates (RFC 6146).</summary>
    V6WithNat64 = 2,
}
