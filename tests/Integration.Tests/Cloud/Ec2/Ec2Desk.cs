using System.Collections.Immutable;
using System.Net;
using Common.Journal;
using InternalHost.Cloud;
using InternalHost.Cloud.Ec2;
using InternalHost.Configuration;
using InternalHost.Wan;
using InternalHost.Wan.Clock;
using InternalHost.Wan.Detection;
using InternalHost.Wan.Http;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Integration.Tests.Cloud.Ec2;

/// <summary>The product's way to an EC2 on loopback: its client and its clouds, over the product's own HTTP, with a key in a file.</summary>
internal sealed class Ec2Desk : IDisposable
{
    public const string Region = "eu-central-1";

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("ec2-desk");
    private readonly Database _database = Database.Open(":memory:", LastGoodAddresses.Migration, TimeJournal.Migration);
    private readonly List<IDisposable> _owned = [];
    private readonly Uri _url;

    public Ec2Desk(Uri url, string keyId, string secret)
    {
        _url = url;
        Key(keyId, secret);
        Client = new Ec2Client(Transport());
    }

    public Ec2Client Client { get; }

    /// <summary>The image that machines are made from.</summary>
    public string Image { get; init; } = "ami-0000000000000000a";

    public string SecretFile => Path.Combine(_folder.FullName, "aws");

    /// <summary>Fails a test that hangs; longer than anything that is waited for.</summary>
    public CancellationToken Soon { get; } = new CancellationTokenSource(TimeSpan.FromMinutes(10)).Token;

    public UplinkOptions Uplink { get; } = new(UplinkName.Backup, "lo", IPAddress.Loopback);

    public void Key(string keyId, string secret) => Credentials($"[default]\naws_access_key_id = {keyId}\naws_secret_access_key = {secret}\n");

    public void Credentials(string text) => File.WriteAllText(SecretFile, text);

    /// <param name="caFile">PEM of the server's root; null: the system's.</param>
    public Ec2Transport Transport(Uri? url = null, TrustedTime? trusted = null, UplinkResolver? resolver = null, string? caFile = null, AwsService? service = null)
    {
        trusted ??= new TrustedTime(new Synchronised(), TimeProvider.System, null, new DateTimeOffset(2000, 1, 1, 0, 0, 0, TimeSpan.Zero));
        var meter = new UplinkMeter();
        resolver ??= new UplinkResolver([new IPEndPoint(IPAddress.Loopback, 1)], new LastGoodAddresses(_database, TimeProvider.System), meter, TimeProvider.System);
        var http = new UplinkHttp(() => [Uplink], new UplinkDialler(resolver, trusted, meter, TimeProvider.System), trusted);
        var transport = new Ec2Transport(Ec2Endpoint.Of(Region, url ?? _url), SecretFile, http.CreateHandler(caFile), service);
        _owned.Add(transport);
        return transport;
    }

    public Ec2Cloud Cloud(string site, ImmutableArray<string> sizes = default, IEc2Transport? by = null, ILogger<Ec2Cloud>? log = null) => new(
        by is null ? Client : new Ec2Client(by), site, sizes.IsDefault ? ["t3.nano", "t3a.nano", "t3.micro"] : sizes, TimeProvider.System, log ?? NullLogger<Ec2Cloud>.Instance);

    public async Task<InstanceSight> UntilAsync(ICloud cloud, InstanceState state)
    {
        while (true)
        {
            if (await cloud.DescribeAsync(Soon) is { } seen && seen.State == state)
            {
                return seen;
            }

            await Task.Delay(20, Soon);
        }
    }

    /// <summary>A machine with the site's tag, made through the API, and running.</summary>
    public async Task<Ec2Instance> MakeAsync(string site, string? clientToken = null)
    {
        var tags = ImmutableSortedDictionary<string, string>.Empty.Add(Ec2Cloud.SiteTag, site).Add("Name", "space / slash & ä");
        var made = await Client.RunInstancesAsync(
            new Ec2NewInstance(clientToken ?? Guid.NewGuid().ToString(), Image, "t3.nano", null, [], tags, "#cloud-config\n# & = + ä\n") { VolumeSize = 8 }, dryRun: false, Soon);
        while ((await Client.DescribeInstancesByTagAsync(Ec2Cloud.SiteTag, site, ["running"], Soon)).All(i => i.InstanceId != made!.InstanceId))
        {
            await Task.Delay(20, Soon);
        }

        return made!;
    }

    public void Dispose()
    {
        _owned.ForEach(o => o.Dispose());
        _database.Dispose();
        _folder.Delete(recursive: true);
    }

    private sealed class Synchronised : IKernelClock
    {
        public bool IsSynchronised => true;
    }
}
