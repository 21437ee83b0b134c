using System.Net;

namespace Lab.World;

/// <summary>Where the servers of a world listen.</summary>
public sealed record ServerPlan(IPEndPoint IspDns, IPEndPoint DnsA, IPEndPoint DnsB, IPEndPoint TlsA, IPEndPoint TlsB, IPEndPoint Time)
{
    public ServerPlan Select(Func<IPEndPoint, IPEndPoint> change) =>
        new(change(IspDns), change(DnsA), change(DnsB), change(TlsA), change(TlsB), change(Time));
}

/// <summary>Everything that is asked whether the world is there: three resolvers, two TLS witnesses, a clock.</summary>
public sealed class WorldServers : IAsyncDisposable
{
    public const string NameA = "a.witness.test";
    public const string NameB = "b.witness.test";
    public const string ProbeName = "probe.test";
    public const string GatewayName = "sms.gateway.test";

    /// <summary>What the zone says of <see cref="ProbeName"/>; nobody is there.</summary>
    private static readonly IPAddress Somewhere = IPAddress.Parse("198.18.0.1");

    private readonly LabAuthority _authority = LabAuthority.Create();
    private readonly Stack<IAsyncDisposable> _parts = new();

    private WorldServers()
    {
    }

    /// <param name="cloud">Runs what makes sockets, where the cloud's servers are; <paramref name="isp"/>: where the provider's resolver is.</param>
    public static async Task<WorldServers> StartAsync(
        ServerPlan plan, IReadOnlyDictionary<string, IPAddress> names, TimeProvider time, Placer? cloud = null, Placer? isp = null)
    {
        var servers = new WorldServers();
        cloud ??= make => make();
        isp ??= cloud;
        try
        {
            foreach (var (place, at) in ((Placer, IPEndPoint)[])[(isp, plan.IspDns), (cloud, plan.DnsA), (cloud, plan.DnsB)])
            {
                await servers.KeepAsync(place(() => Task.FromResult<IAsyncDisposable>(Resolver(at, names))));
            }

            foreach (var (at, name) in ((IPEndPoint, string)[])[(plan.TlsA, NameA), (plan.TlsB, NameB)])
            {
                var certificate = servers._authority.Issue(name);
                await servers.KeepAsync(cloud(async () => await TlsServer.StartAsync(at, certificate)));
            }

            await servers.KeepAsync(cloud(() => Task.FromResult<IAsyncDisposable>(SntpServer.Start(plan.Time, time))));
            return servers;
        }
        catch
        {
            await servers.DisposeAsync();
            throw;
        }
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

    private static DnsServer Resolver(IPEndPoint at, IReadOnlyDictionary<string, IPAddress> names)
    {
        var server = DnsServer.Start(at);
        server.Zone.Add(ProbeName, Somewhere);
        foreach (var (name, address) in names)
        {
            server.Zone.Add(name, address);
        }

        return server;
    }

    private async Task KeepAsync(Task<IAsyncDisposable> part) => _parts.Push(await part);
}

/// <summary>Runs <paramref name="make"/> where its sockets shall belong.</summary>
public delegate Task<IAsyncDisposable> Placer(Func<Task<IAsyncDisposable>> make);
