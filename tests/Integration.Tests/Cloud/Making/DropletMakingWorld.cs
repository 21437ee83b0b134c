using System.Collections.Immutable;
using System.Net;
using System.Text.RegularExpressions;
using InternalHost.Cloud.DigitalOcean;
using InternalHost.Cloud.Making;
using InternalHost.Pins;
using Lab.Clouds;

namespace Integration.Tests.Cloud.Making;

internal sealed partial class DropletMakingWorld : MakingWorld
{
    private readonly Uri _url;
    private readonly HttpMessageHandler? _watch;
    private int _oneTime;

    private DropletMakingWorld(DigitalOceanStandIn standIn, Uri url, HttpMessageHandler? watch)
    {
        (StandIn, _url, _watch) = (standIn, url, watch);
        Machines = new FakeMachines(BornWith);
    }

    public DigitalOceanStandIn StandIn { get; }

    public FakeMachines Machines { get; }

    protected override ImmutableArray<string> Sizes => ["s-1vcpu-512mb-10gb", "s-1vcpu-1gb"];

    public static async Task<DropletMakingWorld> StartAsync()
    {
        var standIn = await DigitalOceanStandIn.StartAsync();
        standIn.Behaviour = new DropletBehaviour { BootsFor = TimeSpan.FromMilliseconds(1) };
        return new DropletMakingWorld(standIn, standIn.BaseUrl, null);
    }

    /// <param name="url">What stands before the stand-in, whose owner is another.</param>
    /// <param name="watch">Sees every request of one run.</param>
    public static DropletMakingWorld Behind(DigitalOceanStandIn standIn, Uri url, HttpMessageHandler watch) => new(standIn, url, watch);

    public override void IsComplete(string site)
    {
        Assert.DoesNotContain(StandIn.Droplets, d => d.Name == $"bastion-{site}");
        var golden = Assert.Single(StandIn.SnapshotNames, s => s.StartsWith($"bastion-{site}.golden.", StringComparison.Ordinal));
        Assert.Matches(@"\.golden\.\d{4}-\d\d-\d\d", golden);
        var firewall = Assert.Single(StandIn.Firewalls, f => f.Name == $"bastion-{site}");
        Assert.Equal($"bastion:site:{site}", Assert.Single(firewall.Tags));
        Assert.Equal(["49022", "443"], firewall.OpenPorts);
        Assert.Single(StandIn.Keys, k => k.Name == $"bastion-{site}");
        var pin = Assert.Single(PinFile.Read(PinOf(site)));
        Assert.Contains(pin.Key, Machines.InUse);
        Assert.DoesNotContain(pin.Key, StandIn.Droplets.Select(d => d.UserData));
    }

    public override void IsEmpty(string site)
    {
        Assert.DoesNotContain(StandIn.Droplets, d => d.Name == $"bastion-{site}");
        Assert.DoesNotContain(StandIn.SnapshotNames, s => s.StartsWith($"bastion-{site}.golden.", StringComparison.Ordinal));
        Assert.DoesNotContain(StandIn.Firewalls, f => f.Name == $"bastion-{site}");
        Assert.DoesNotContain(StandIn.Keys, k => k.Name == $"bastion-{site}");
        Assert.DoesNotContain($"bastion:site:{site}", StandIn.TagNames);
        Assert.False(File.Exists(Path.Combine(FolderOf(site), MakingJournal.FileName)));
    }

    public override async ValueTask DisposeAsync()
    {
        if (_url == StandIn.BaseUrl)
        {
            await StandIn.DisposeAsync();
        }

        await base.DisposeAsync();
    }

    /// <summary>Another for each site: an account takes a key once.</summary>
    protected override MakingWish Wish(string site) => base.Wish(site) with { Region = "fra1", MaintenanceKey = FakeMachines.Key(site.GetHashCode(StringComparison.Ordinal)) };

    protected override (IMakerCloud Cloud, MakingNotes Fresh) Cloud(MakingWish wish, Guillotine guillotine, List<IDisposable> own)
    {
        var http = new DigitalOceanHttp(_url, _ => Task.FromResult(DigitalOceanStandIn.Token), new GuillotineHandler(guillotine, _watch is null ? new SocketsHttpHandler { UseProxy = false } : new Kept(_watch)), TimeProvider.System);
        own.Add(http);
        return (
            new DropletMaking(
                new DigitalOceanClient(http), wish, Machines.Shell(guillotine),
                _ => Task.FromResult(new OneTimeHostKey("-----BEGIN OPENSSH PRIVATE KEY-----\nonce\n-----END OPENSSH PRIVATE KEY-----\n", FakeMachines.Key(2_000_000 + Interlocked.Increment(ref _oneTime)))),
                Patience, TimeProvider.System),
            new MakingNotes("digitalocean", wish.Site, wish.Region));
    }

    protected override MakingHands Hands(MakingWish wish, Guillotine guillotine)
    {
        var setup = new MachineSetup(Machines.Shell(guillotine), wish, 22_001, FakeMachines.Key(8), typeof(DropletMakingWorld).Assembly.Location, "root", _ => { });
        return new MakingHands(
            setup.InstallAsync,
            (notes, _) =>
            {
                guillotine.Pass(() => PinFile.Write(PinOf(wish.Site), [.. notes.HostKeys.Select(k => new Pin(k, PinSource.OneTime))]));
                return Task.CompletedTask;
            });
    }

    private string BornWith(IPAddress address) =>
        OneTimePublic().Match(StandIn.Droplets.Last(d => d.V6.Equals(address)).UserData!).Groups["key"].Value;

    [GeneratedRegex("ed25519_public: (?<key>.*)", RegexOptions.ExplicitCapture)]
    private static partial Regex OneTimePublic();

    /// <summary>Outlives the run, which disposes what it was given.</summary>
    private sealed class Kept(HttpMessageHandler inner) : HttpMessageHandler
    {
        private readonly HttpMessageInvoker _inner = new(inner, disposeHandler: false);

        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken) => _inner.SendAsync(request, cancellationToken);
    }
}
