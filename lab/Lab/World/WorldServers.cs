using System.Net;
using Microsoft.AspNetCore.Http;

namespace Lab.World;

/// <summary>Where the servers of a world listen.</summary>
public sealed record ServerPlan(
    IPEndPoint IspDns, IPEndPoint DnsA, IPEndPoint DnsB, IPEndPoint TlsA, IPEndPoint TlsB, IPEndPoint Time,
    IPEndPoint StunA, IPEndPoint StunB, IPEndPoint Http)
{
    public ServerPlan Select(Func<IPEndPoint, IPEndPoint> change) => new(
        change(IspDns), change(DnsA), change(DnsB), change(TlsA), change(TlsB), change(Time), change(StunA), change(StunB), change(Http));
}

/// <summary>
/// Everything that is asked whether the world is there, and from where it is seen: three resolvers, two TLS witnesses, a clock, two STUN
/// servers, and one that answers 204.
/// </summary>
public sealed class WorldServers : IAsyncDisposable
{
    public const string NameA = "a.witness.test";
    public const string NameB = "b.witness.test";
    public const string ProbeName = "probe.test";
    public const string HttpName = "check.test";
    public const string WhoAmI = "myip.test";
    public const string GatewayName = "sms.gateway.test";

    /// <summary>What the zone says of <see cref="ProbeName"/>; nobody is there.</summary>
    private static readonly IPAddress Somewhere = IPAddress.Parse("198.18.0.1");

    private readonly LabAuthority _authority = LabAuthority.Create();
    private readonly List<StunServer> _stun = [];
    private readonly Stack<IAsyncDisposable> _parts = new();

    private WorldServers()
    {
    }

    /// <summary>Who asks for the 204 is sent there instead, as by a portal. Null: nobody is.</summary>
    public Uri? Portal { get; set; }

    /// <summary>From where the STUN servers see their clients: another uplink's address, where a router has fallen over.</summary>
    public Func<IPEndPoint, IPEndPoint> SeenAs
    {
        set => _stun.ForEach(s => s.SeenAs = value);
    }

    /// <param name="names">What the resolvers say besides.</param>
    /// <param name="cloud">Runs what makes sockets, where the cloud's servers are; <paramref name="isp"/>: where the provider's resolver is.</param>
    public static async Task<WorldServers> StartAsync(
        ServerPlan plan, IReadOnlyDictionary<string, IPAddress[]> names, TimeProvider time, Placer? cloud = null, Placer? isp = null)
    {
        var servers = new WorldServers();
        cloud ??= make => make();
        try
        {
            await servers.AddAsync(plan, names, time, cloud, isp ?? cloud);
            return servers;
        }
        catch
        {
            await servers.DisposeAsync();
            throw;
        }
    }

    /// <summary>The same servers at other places too: in the other family.</summary>
    public async Task AddAsync(ServerPlan plan, IReadOnlyDictionary<string, IPAddress[]> names, TimeProvider time, Placer cloud, Placer isp)
    {
        foreach (var (place, at) in ((Placer, IPEndPoint)[])[(isp, plan.IspDns), (cloud, plan.DnsA), (cloud, plan.DnsB)])
        {
            await KeepAsync(place(() => Task.FromResult<IAsyncDisposable>(Resolver(at, names))));
        }

        foreach (var (at, name) in ((IPEndPoint, string)[])[(plan.TlsA, NameA), (plan.TlsB, NameB)])
        {
            var certificate = _authority.Issue(name);
            await KeepAsync(cloud(async () => await TlsServer.StartAsync(at, certificate)));
        }

        await KeepAsync(cloud(() => Task.FromResult<IAsyncDisposable>(SntpServer.Start(plan.Time, time))));
        foreach (var at in (IPEndPoint[])[plan.StunA, plan.StunB])
        {
            await KeepAsync(cloud(() => Task.FromResult<IAsyncDisposable>(Stun(at))));
        }

        await KeepAsync(cloud(async () => await TlsServer.StartAsync(plan.Http, certificate: null, CheckAsync)));
    }

    public LabCertificate Issue(params string[] names) => _authority.Issue(names);

    /// <summary>The root that all certificates of this world hang from, as PEM.</summary>
    public void WriteRoot(string path) => _authority.WriteRoot(path);

    public async ValueTask DisposeAsync()
    {
        while (_parts.TryPop(out var part))
        {
            await part.DisposeAsync();
        }

        _authority.Dispose();
    }

    /// <summary>One of the world's resolvers.</summary>
    public static DnsServer Resolver(IPEndPoint at, IReadOnlyDictionary<string, IPAddress[]> names)
    {
        var server = DnsServer.Start(at);
        server.Zone.Add(ProbeName, Somewhere);
        server.Zone.AddWhoAmI(WhoAmI);
        foreach (var (name, addresses) in names)
        {
            server.Zone.Add(name, addresses);
        }

        return server;
    }

    private StunServer Stun(IPEndPoint at)
    {
        var server = StunServer.Start(at);
        _stun.Add(server);
        return server;
    }

    private Task CheckAsync(HttpContext context)
    {
        if (Portal is { } portal)
        {
            context.Response.Redirect(portal.ToString());
        }
        else
        {
            context.Response.StatusCode = StatusCodes.Status204NoContent;
        }

        return Task.CompletedTask;
    }

    private async Task KeepAsync(Task<IAsyncDisposable> part) => _parts.Push(await part);
}

/// <summary>Runs <paramref name="make"/> where its sockets shall belong.</summary>
public delegate Task<IAsyncDisposable> Placer(Func<Task<IAsyncDisposable>> make);
