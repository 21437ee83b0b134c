using System.Net;

namespace Lab.World;

/// <summary>
/// A world without root: the two uplinks are two source addresses on <c>lo</c>, and whatever the inside talks to stands behind relays
/// that know which of them it came by. Each world has its own block of addresses; several run side by side.
/// </summary>
public sealed class LoopbackWorld : IAsyncDisposable
{
    private const int DnsPort = 5300;
    private const int TlsPort = 4430;
    private const int TimePort = 1230;
    private const int StunPort = 34780;
    private const int HttpPort = 8080;
    private const int GatewayPort = 8443;

    private readonly Stack<IAsyncDisposable> _parts = new();
    private WorldServers? _servers;

    private LoopbackWorld(LoopbackBlock block)
    {
        Block = block;
        Primary = new Link("primary", block.Primary);
        Backup = new Link("backup", block.Backup);
        Links = new Links(Primary, Backup);
        Servers = new ServerPlan(
            IspDns: new(block.Address(10), DnsPort),
            DnsA: new(block.Address(11), DnsPort),
            DnsB: new(block.Address(12), DnsPort),
            TlsA: new(block.Address(13), TlsPort),
            TlsB: new(block.Address(14), TlsPort),
            Time: new(block.Address(15), TimePort),
            StunA: new(block.Address(16), StunPort),
            StunB: new(block.Address(17), StunPort),
            Http: new(block.Address(18), HttpPort));
        Gateway = new(block.Address(65), GatewayPort);
    }

    public LoopbackBlock Block { get; }

    public Link Primary { get; }

    public Link Backup { get; }

    public Links Links { get; }

    /// <summary>Where the witnesses are, as the inside sees them.</summary>
    public ServerPlan Servers { get; }

    /// <summary>Where the SMS gateway is for the inside; whoever plays it listens at <see cref="Behind"/> of it.</summary>
    public IPEndPoint Gateway { get; }

    /// <summary>Where people and the inside reach the bastion.</summary>
    public IPAddress BastionAddress => Block.Address(64);

    /// <summary>Where the bastion's sshd really listens, behind the relays.</summary>
    public IPAddress BastionBehind => Hidden(BastionAddress);

    public static async Task<LoopbackWorld> StartAsync(TimeProvider time)
    {
        var world = new LoopbackWorld(LoopbackBlock.Take());
        try
        {
            await world.ServeAsync(time);
            return world;
        }
        catch
        {
            await world.DisposeAsync();
            throw;
        }
    }

    /// <summary>The root that all certificates of this world hang from, as PEM.</summary>
    public void WriteRoot(string path) => _servers!.WriteRoot(path);

    /// <summary>From where the STUN servers see their clients; the truth, unless a router falls over.</summary>
    public Func<IPEndPoint, IPEndPoint> SeenAs
    {
        set => _servers!.SeenAs = value;
    }

    /// <inheritdoc cref="WorldServers.Portal"/>
    public Uri? Portal
    {
        set => _servers!.Portal = value;
    }

    public LabCertificate Issue(params string[] names) => _servers!.Issue(names);

    /// <summary>The server behind x.y.z.N is at x.y.z.(N+128).</summary>
    public IPEndPoint Behind(IPEndPoint seen) => new(Hidden(seen.Address), seen.Port);

    /// <summary>Puts a relay in front of something of ours; it lives as long as the world.</summary>
    /// <param name="followTarget">Refuses while the target does not listen.</param>
    public TcpRelay Relay(IPEndPoint seen, bool followTarget = false) => Keep(TcpRelay.Start(seen, Behind(seen), Links, followTarget));

    public async ValueTask DisposeAsync()
    {
        while (_parts.TryPop(out var part))
        {
            await part.DisposeAsync();
        }

        if (_servers is not null)
        {
            await _servers.DisposeAsync();
        }

        Block.Dispose();
    }

    private async Task ServeAsync(TimeProvider time)
    {
        var names = new Dictionary<string, IPAddress[]>(StringComparer.Ordinal)
        {
            [WorldServers.NameA] = [Servers.TlsA.Address],
            [WorldServers.NameB] = [Servers.TlsB.Address],
            [WorldServers.HttpName] = [Servers.Http.Address],
            [WorldServers.GatewayName] = [Gateway.Address],
        };
        _servers = await WorldServers.StartAsync(Servers.Select(Behind), names, time);
        foreach (var resolver in (IPEndPoint[])[Servers.IspDns, Servers.DnsA, Servers.DnsB])
        {
            Keep(UdpRelay.Start(resolver, Behind(resolver), Links));
            Relay(resolver);
        }

        Relay(Servers.TlsA);
        Relay(Servers.TlsB);
        Relay(Servers.Http);
        foreach (var server in (IPEndPoint[])[Servers.Time, Servers.StunA, Servers.StunB])
        {
            Keep(UdpRelay.Start(server, Behind(server), Links));
        }
    }

    private T Keep<T>(T part)
        where T : IAsyncDisposable
    {
        _parts.Push(part);
        return part;
    }

    private IPAddress Hidden(IPAddress seen) => Block.Address((byte)(seen.GetAddressBytes()[3] + 128));
}
