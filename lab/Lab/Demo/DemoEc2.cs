using System.Collections.Immutable;
using System.Threading.Channels;
using InternalHost.Cloud.Ec2;
using InternalHost.Cloud.Local;
using Lab.Clouds;

namespace Lab.Demo;

/// <summary>
/// <c>--cloud=ec2</c>: the site's VM is an instance of a moto, which checks each signature and the daemon's policy; its body is the VM of the
/// local cloud, switched by what moto accepts.
/// </summary>
internal sealed class DemoEc2 : IAsyncDisposable
{
    public const string HowToGet = $"{Moto.Program} is not on PATH: --cloud=ec2 plays against moto 5.x (pip install 'moto[server]')";

    private const string Region = "eu-central-1";
    private const string Owner = "owner";
    private const string Daemon = "daemon";
    private static readonly ImmutableArray<string> Sizes = ["t3.nano", "t3a.nano", "t3.micro"];

    private readonly Channel<string> _orders = Channel.CreateUnbounded<string>();
    private readonly Moto _moto;
    private readonly MotoDoor _door;
    private readonly Ec2Client _owner;
    private readonly Ec2Transport _transport;
    private Task _switching = Task.CompletedTask;

    private DemoEc2(Moto moto, MotoDoor door, Ec2Transport transport) =>
        (_moto, _door, _transport, _owner) = (moto, door, transport, new Ec2Client(transport));

    /// <exception cref="MissingException">There is no moto_server.</exception>
    public static async Task<DemoEc2> StartAsync(RunFolder folder, IDemoWorld world, CancellationToken ct)
    {
        var program = Find() ?? throw new MissingException(HowToGet);
        var allowed = Ec2Policy.Render(DemoSite.Name, Region, Sizes).Replace($"arn:aws:ec2:{Region}:*:instance/*", "*", StringComparison.Ordinal);   // moto knows no resource but *
        var moto = await Moto.StartAsync(program, new Dictionary<string, string>(StringComparer.Ordinal)
        {
            [Owner] = """{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"ec2:*","Resource":"*"}]}""",
            [Daemon] = allowed,
        });
        var door = new MotoDoor(moto.Url, world.Places.Bastion);
        await door.OpenAsync();
        folder.Secret("secrets/aws", Credential(moto.Keys[Daemon]));
        var transport = new Ec2Transport(Ec2Endpoint.Of(Region, moto.Url), folder.Secret("owner-aws", Credential(moto.Keys[Owner])), new SocketsHttpHandler { UseProxy = false });
        var cloud = new DemoEc2(moto, door, transport);
        try
        {
            await cloud.MakeAsync(ct);
            return cloud;
        }
        catch
        {
            await cloud.DisposeAsync();
            throw;
        }
    }

    public static string? Find() => (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':', StringSplitOptions.RemoveEmptyEntries)
        .Select(folder => Path.Combine(folder, Moto.Program)).FirstOrDefault(File.Exists);

    /// <summary>In the <c>bastion</c> section, instead of the local cloud.</summary>
    public string Yaml => $"  cloud: ec2\n  region: {Region}\n  secret: aws\n  endpoint: {_door.Url}\n  sync: none\n  monthly_limit: 3 USD\n";

    /// <summary>From now on what moto accepts happens to this machine.</summary>
    public void Embody(LocalCloudClient machine)
    {
        _door.Done = action =>
        {
            if (action is "StartInstances" or "StopInstances")
            {
                _orders.Writer.TryWrite(action == "StartInstances" ? "start" : "stop");
            }
        };
        _switching = Task.Run(async () =>
        {
            await foreach (var order in _orders.Reader.ReadAllAsync())
            {
                await machine.InstanceAsync(order, CancellationToken.None);
            }
        });
    }

    /// <summary>Null: one instance, stopped in the end, everything asked by the backup and nothing refused. Else what was otherwise.</summary>
    public async Task<string?> ComplaintAsync(IDemoWorld world, CancellationToken ct)
    {
        var machines = await _owner.DescribeInstancesByTagAsync(Ec2Cloud.SiteTag, DemoSite.Name, ["pending", "running", "stopping", "stopped"], ct);
        var refused = _door.Calls.Where(c => c.Status != 200).ToList();
        var start = _door.Calls.Where(c => c.Action == "StartInstances").ToList();
        return machines switch
        {
            not [{ State: "stopped" }] => $"at moto: {string.Join(", ", machines.Select(m => $"{m.InstanceId} {m.State}"))}",
            _ when refused.Count > 0 => $"moto refused {refused[0].Action} ({refused[0].Status})",
            _ when start.Count != 1 => $"{start.Count} StartInstances",
            _ when !Equals(start[0].From, world.BackupSeen) => $"StartInstances came from {start[0].From}, not by the backup",
            _ => null,
        };
    }

    public async ValueTask DisposeAsync()
    {
        _orders.Writer.TryComplete();
        await _switching.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await _door.DisposeAsync();
        _transport.Dispose();
        await _moto.DisposeAsync();
    }

    private async Task MakeAsync(CancellationToken ct)
    {
        var tags = ImmutableSortedDictionary<string, string>.Empty.Add(Ec2Cloud.SiteTag, DemoSite.Name);
        var made = await _owner.RunInstancesAsync(new Ec2NewInstance(DemoSite.Name, Moto.Image, Sizes[0], null, [], tags, "#cloud-config\n") { VolumeSize = 8 }, dryRun: false, ct);
        await _owner.StopInstancesAsync(made!.InstanceId, dryRun: false, ct);
    }

    private static string Credential((string Id, string Secret) key) => $"[default]\naws_access_key_id = {key.Id}\naws_secret_access_key = {key.Secret}\n";
}
