using System.Collections.Immutable;
using System.Net;
using Common.Journal;
using InternalHost.Configuration;
using InternalHost.Wan;
using InternalHost.Wan.Clock;
using InternalHost.Wan.Detection;
using InternalHost.Wan.Http;
using Lab.World;
using Microsoft.AspNetCore.Http;

namespace Integration.Tests.Wan;

/// <summary>
/// A world for one test on loopback addresses of its own: two uplinks (source addresses .1 and .2), DNS at .53, HTTPS at .80, and the
/// product's way out to it.
/// </summary>
internal sealed class HttpWorld : IAsyncDisposable
{
    public const string Name = "api.lab.test";

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("uplink-http");
    private readonly Database _database = Database.Open(":memory:", LastGoodAddresses.Migration, TimeJournal.Migration);
    private readonly List<IDisposable> _owned = [];
    private LastGoodAddresses _lastGood;

    private HttpWorld(int net, TlsServer api, LabAuthority authority)
    {
        Net = net;
        Api = api;
        Authority = authority;
        Dns = DnsServer.Start(new IPEndPoint(At(53), 0));
        Dns.Zone.Add(Name, At(80));
        authority.WriteRoot(CaFile);
        Primary = new UplinkOptions(UplinkName.Primary, "lo", At(1));
        Backup = new UplinkOptions(UplinkName.Backup, "lo", At(2));
        Route = [Backup];
        _lastGood = new LastGoodAddresses(_database, TimeProvider.System);
        Clock = new TrustedTime(Kernel, Wall, lastKnown: null, new DateTimeOffset(2000, 1, 1, 0, 0, 0, TimeSpan.Zero));
    }

    public int Net { get; }

    public TlsServer Api { get; }

    public LabAuthority Authority { get; }

    public DnsServer Dns { get; }

    public string CaFile => Path.Combine(_folder.FullName, "ca.pem");

    public UplinkOptions Primary { get; }

    public UplinkOptions Backup { get; }

    public ImmutableArray<UplinkOptions> Route { get; set; }

    public UplinkMeter Meter { get; } = new();

    public WallClock Wall { get; } = new();

    public FakeKernel Kernel { get; } = new() { IsSynchronised = true };

    public TrustedTime Clock { get; set; }

    public Uri Url => new($"https://{Name}:{Api.EndPoint.Port}/");

    /// <param name="net">The test's own 127.net.0.0/16.</param>
    public static async Task<HttpWorld> StartAsync(int net, RequestDelegate? respond = null, LabAuthority? authority = null, LabCertificate? certificate = null)
    {
        authority ??= LabAuthority.Create();
        var api = await TlsServer.StartAsync(new IPEndPoint(At(net, 80), 0), certificate ?? authority.Issue(Name), respond);
        return new HttpWorld(net, api, authority);
    }

    public IPAddress At(int host) => At(Net, host);

    public UplinkResolver Resolver(params IPEndPoint[] servers) =>
        new(servers.Length > 0 ? [.. servers] : [Dns.EndPoint], _lastGood, Meter, TimeProvider.System);

    public UplinkHttp Http() => new(() => Route, new UplinkDialler(Resolver(), Clock, Meter, TimeProvider.System), Clock);

    public HttpClient Client()
    {
        var client = Http().CreateClient(CaFile);
        _owned.Add(client);
        return client;
    }

    /// <summary>What a new start of the program knows: the file, not the memory.</summary>
    public void Restart() => _lastGood = new LastGoodAddresses(_database, TimeProvider.System);

    public async ValueTask DisposeAsync()
    {
        _owned.ForEach(o => o.Dispose());
        await Dns.DisposeAsync();
        await Api.DisposeAsync();
        Authority.Dispose();
        _database.Dispose();
        _folder.Delete(recursive: true);
    }

    private static IPAddress At(int net, int host) => new([127, (byte)net, 0, (byte)host]);
}

/// <summary>A wall clock that is wrong by any amount over real time.</summary>
internal sealed class WallClock : TimeProvider
{
    public TimeSpan Error { get; set; }

    public override DateTimeOffset GetUtcNow() => base.GetUtcNow() + Error;

    public void SetTo(DateTimeOffset now) => Error = now - base.GetUtcNow();
}

internal sealed class FakeKernel : IKernelClock
{
    public bool IsSynchronised { get; set; }
}
