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
    private readonly IProcessLauncher _launcher;
    private readonly Stack<IAsyncDisposable> _parts = new();
    private WorldServers? _servers;

    private NamespaceDemoWorld(LabNet net, char wiring, bool fallsOver, IProcessLauncher launcher)
    {
        (_net, _wiring, FallsOver, _launcher) = (net, wiring, fallsOver, launcher);
        Places = new Places(
            wiring == 'C' ? null : new UplinkPlace(net.Addresses["primary_interface"], Address("primary_address")),
            new UplinkPlace(net.Addresses["backup_interface"], Address("backup_address")),
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
    }

    public string Description => $"network namespaces {_net.Prefix}*, wiring {_wiring}: " + _wiring switch
    {
        'A' => "an interface for each uplink",
        'B' => "one wire, a router that sends each of two source addresses by one uplink",
        _ => "this host is routed by the backup only; its router, a box on the LAN and the outside tell of the primary",
    } + (FallsOver ? "; the router falls over by itself" : "") + "; carrier-grade NAT on the backup";

    public Places Places { get; }

    public string PrimaryUplink => _wiring switch
    {
        'A' => $"{{interface: {Places.Primary!.Interface}, address: {Places.Primary.Address}, carrier: modem}}",
        'B' => $"{{interface: {Places.Primary!.Interface}, address: {Places.Primary.Address}}}",
        _ => $"{{observe: {{command: [{Path.Combine(Repository.Root, "lab", "ask-router")}, {Address("router")}, \"{RouterPort}\"], "
            + $"lan: \"{Address("box")}:{SocksPort}\", outside: \"{Address("primary_public")}:{OutsidePort}\"}}}}",
    };

    public bool FallsOver { get; }

    public IPAddress BackupSeen => Address("backup_public");

    public IReadOnlyList<string> SshdConfiguration => ["UsePAM yes"];

    public IProcessLauncher Home => new Inside(_net, "home", _launcher);

    public IProcessLauncher Cloud => new Inside(_net, "cloud", _launcher);

    public IProcessLauncher Away => new Inside(_net, "away", _launcher);

    public static async Task<NamespaceDemoWorld> StartAsync(char wiring, bool fallsOver, IProcessLauncher launcher, TimeProvider time, CancellationToken ct)
    {
        var world = new NamespaceDemoWorld(await LabNet.UpAsync(wiring, fallsOver, launcher, ct), wiring, fallsOver, launcher);
        try
        {
            var names = new Dictionary<string, IPAddress>(StringComparer.Ordinal)
            {
                [WorldServers.NameA] = world.Places.Servers.TlsA.Address,
                [WorldServers.NameB] = world.Places.Servers.TlsB.Address,
                [WorldServers.HttpName] = world.Places.Servers.Http.Address,
                [WorldServers.GatewayName] = world.Places.Gateway.Address,
            };
            world._servers = await WorldServers.StartAsync(world.Places.Servers, names, time, world.In("cloud"), world.In("isp1"));
            world._parts.Push(world._servers);
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

    /// <summary>Any other fault by its name.</summary>
    public Task FaultAsync(CancellationToken ct, params string[] words) => _net.FaultAsync(ct, words);

    public Task ClearAsync(string name, CancellationToken ct) => _net.ClearAsync(name, ct);

    public void WriteRoot(string path) => _servers!.WriteRoot(path);

    public async Task<TlsServer> ServeGatewayAsync(RequestDelegate respond)
    {
        var certificate = _servers!.Issue(WorldServers.GatewayName, $"{Places.Gateway.Address}");
        var server = (TlsServer)await In("cloud")(async () => await TlsServer.StartAsync(Places.Gateway, certificate, respond));
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
