using System.Collections.Immutable;
using System.Net;
using InternalHost.Cloud.Ec2;
using InternalHost.Cloud.Making;
using InternalHost.Pins;
using Lab.Clouds;

namespace Integration.Tests.Cloud.Making;

internal sealed class Ec2MakingWorld : MakingWorld
{
    private readonly string _credentials = Path.GetTempFileName();

    private Ec2MakingWorld(Ec2StandIn ec2) => Ec2 = ec2;

    public Ec2StandIn Ec2 { get; }

    public FakeMachines Machines { get; } = new(address => FakeMachines.Key(BitConverter.ToInt32(address.GetAddressBytes())));

    protected override ImmutableArray<string> Sizes => ["t3.nano", "t3a.nano"];

    public static async Task<Ec2MakingWorld> StartAsync()
    {
        var world = new Ec2MakingWorld(await Ec2StandIn.StartAsync());
        world.Ec2.Behaviour = new Ec2Behaviour
        {
            PendingFor = TimeSpan.FromMilliseconds(1),
            StoppingFor = TimeSpan.FromMilliseconds(1),
            AddressesOf = n => [new IPAddress((byte[])[10, 0, (byte)(n / 250), (byte)(1 + (n % 250))])],
            ConsoleOf = m => m.Addresses is [var address, ..] ? $"boot\n-----BEGIN SSH HOST KEY KEYS-----\n{world.Machines.HostKeyOf(address)} root@ip\n-----END SSH HOST KEY KEYS-----\n" : null,
        };
        await File.WriteAllTextAsync(world._credentials, $"[default]\naws_access_key_id = {Ec2StandIn.KeyId}\naws_secret_access_key = {Ec2StandIn.Secret}\n");
        return world;
    }

    public string SecretOf(string site) => Path.Combine(FolderOf(site), "aws");

    public override void IsComplete(string site)
    {
        var machine = Assert.Single(Ec2.Machines, m => Of(m.Tags, site));
        Assert.Equal("stopped", machine.State);
        Assert.Contains(machine.LaunchTime, Ec2.Machines.Select(m => m.LaunchTime));
        var group = Assert.Single(Ec2.Groups, g => Of(g.Tags, site));
        Assert.Equal(group.Id, Assert.Single(machine.GroupIds));
        Assert.Equal(
            ["443 0.0.0.0/0", "443 ::/0", "49022 0.0.0.0/0", "49022 ::/0"],
            group.Rules.Select(r => $"{r.From} {r.Network}").Order(StringComparer.Ordinal));
        Assert.Equal($"bastion-{site}", Assert.Single(Ec2.KeyPairs, k => Of(k.Tags, site)).Name);
        var user = Assert.Single(Ec2.Users, u => Of(u.Tags, site));
        var key = Assert.Single(user.Keys);
        var file = File.ReadAllText(SecretOf(site));
        Assert.Contains(key.Key, file, StringComparison.Ordinal);
        Assert.Contains(key.Value, file, StringComparison.Ordinal);
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(SecretOf(site)));
        Assert.Single(PinFile.Read(PinOf(site)));
        Assert.DoesNotContain(key.Value, File.ReadAllText(Path.Combine(FolderOf(site), MakingJournal.FileName)), StringComparison.Ordinal);
    }

    public override void IsEmpty(string site)
    {
        Assert.DoesNotContain(Ec2.Machines, m => Of(m.Tags, site) && m.State != "terminated");
        Assert.DoesNotContain(Ec2.Groups, g => Of(g.Tags, site));
        Assert.DoesNotContain(Ec2.KeyPairs, k => Of(k.Tags, site));
        Assert.DoesNotContain(Ec2.Users, u => Of(u.Tags, site));
        Assert.DoesNotContain(Ec2.Volumes, v => Of(v.Tags, site));
        Assert.DoesNotContain(Ec2.Addresses, a => Of(a.Tags, site));
        Assert.False(File.Exists(Path.Combine(FolderOf(site), MakingJournal.FileName)));
    }

    public override async ValueTask DisposeAsync()
    {
        await Ec2.DisposeAsync();
        File.Delete(_credentials);
        await base.DisposeAsync();
    }

    protected override (IMakerCloud Cloud, MakingNotes Fresh) Cloud(MakingWish wish, Guillotine guillotine, List<IDisposable> own)
    {
        var (ec2, iam) = (Transport(null), Transport(AwsService.Iam));
        var user = new Ec2RunningUser(new IamClient(iam), wish, SecretOf(wish.Site), line => Said.Add(new MakingNews("user", MakingNews.Said, line)));
        return (new Ec2Making(new Ec2Client(ec2), wish, Machines.Shell(guillotine), user), new MakingNotes("ec2", wish.Site, wish.Region));

        Ec2Transport Transport(AwsService? service)
        {
            var endpoint = service is null ? Ec2Endpoint.Of(Region, Ec2.Url) : Ec2Endpoint.Iam(Region, Ec2.Url);
            var transport = new Ec2Transport(endpoint, _credentials, new GuillotineHandler(guillotine, new SocketsHttpHandler { UseProxy = false }), service);
            own.Add(transport);
            return transport;
        }
    }

    protected override MakingHands Hands(MakingWish wish, Guillotine guillotine)
    {
        var setup = new MachineSetup(Machines.Shell(guillotine), wish, 22_001, FakeMachines.Key(8), typeof(Ec2MakingWorld).Assembly.Location, "admin", _ => { });
        return new MakingHands(
            setup.InstallAsync,
            (notes, _) =>
            {
                guillotine.Pass(() => PinFile.Write(PinOf(wish.Site), [.. notes.HostKeys.Select(k => new Pin(k, PinSource.Console))]));
                return Task.CompletedTask;
            });
    }

    private static bool Of(ImmutableSortedDictionary<string, string> tags, string site) => tags.GetValueOrDefault(Ec2Cloud.SiteTag) == site;
}
