using System.Net;
using Common.Processes;
using Lab.Net;
using Lab.World;
using Microsoft.AspNetCore.Http;

namespace Lab.Demo;

/// <summary>For root: one wire with two addresses at home, a router, two providers, carrier-grade NAT on the backup.</summary>
internal sealed class NamespaceDemoWorld : IDemoWorld
{
    private const int GatewayPort = 8443;

    private readonly LabNet _net;
    private readonly IProcessLauncher _launcher;
    private readonly Stack<IAsyncDisposable> _parts = new();
    private WorldServers? _servers;

    private NamespaceDemoWorld(LabNet net, IProcessLauncher launcher)
    {
        (_net, _launcher) = (net, launcher);
        Places = new Places(
            new UplinkPlace(net.Addresses["primary_interface"], Address("primary_address")),
            new UplinkPlace(net.Addresses["backup_interface"], Address("backup_address")),
            new ServerPlan(
                IspDns: new(Address("isp_dns"), 53),
                DnsA: new(Address("dns_a"), 53),
                DnsB: new(Address("dns_b"), 53),
                TlsA: new(Address("tls_a"), 443),
                TlsB: new(Address("tls_b"), 443),
                Time: new(Address("time"), 123),
                StunA: new(Address("stun_a"), 3478),
                StunB: new(Address("stun_b"), 3478),
                Http: new(Address("tls_a"), 80)),
            new IPEndPoint(Address("gateway"), GatewayPort),
            Address("bastion"),
            Address("bastion_behind"),
            IPAddress.Parse("127.0.0.30"));
    }

    public string Description => $"network namespaces {_net.Prefix}*: a router with two lines, carrier-grade NAT on the backup";

    public Places Places { get; }

    public IPAddress BackupSeen => Address("backup_public");

    public IReadOnlyList<string> SshdConfiguration => ["UsePAM yes"];

    public IProcessLauncher Home => new Inside(_net, "home", _launcher);

    public IProcessLauncher Cloud => new Inside(_net, "cloud", _launcher);

    public IProcessLauncher Away => new Inside(_net, "away", _launcher);

    public static async Task<NamespaceDemoWorld> StartAsync(IProcessLauncher launcher, TimeProvider time, CancellationToken ct)
    {
        var world = new NamespaceDemoWorld(await LabNet.UpAsync('B', failover: false, launcher, ct), launcher);
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

    private sealed class Inside(LabNet net, string part, IProcessLauncher launcher) : IProcessLauncher
    {
        public IChildProcess Start(ProcessSpec spec, Action<ProcessStream, string> onLine) => launcher.Start(net.In(part, spec), onLine);
    }
}
