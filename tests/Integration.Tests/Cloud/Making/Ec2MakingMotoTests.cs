using System.Xml.Linq;
using Integration.Tests.Cloud.Ec2;
using InternalHost.Cloud;
using InternalHost.Cloud.Ec2;
using InternalHost.Cloud.Making;
using Testing;

namespace Integration.Tests.Cloud.Making;

/// <summary>A whole making at somebody else's EC2 and IAM, signatures and policies checked; then the daemon's work with the key that was made.</summary>
public sealed class Ec2MakingMotoTests(MotoServer moto) : IClassFixture<MotoServer>
{
    private const string Site = "home";

    [NeedsFact(Need.Moto)]
    public async Task Machine_is_made_its_user_can_do_the_daemons_work_and_no_more_and_all_is_removed()
    {
        using var owner = new Ec2Desk(moto.Url, moto.Owner.Id, moto.Owner.Secret);
        using var iam = new Ec2Transport(Ec2Endpoint.Iam(Ec2Desk.Region, moto.Url), owner.SecretFile, new SocketsHttpHandler { UseProxy = false }, AwsService.Iam);
        var folder = Directory.CreateTempSubdirectory("moto-making").FullName;
        try
        {
            var wish = new MakingWish(Site, Ec2Desk.Region, ["t3.nano", "t3a.nano", "t3.micro"], [49_022, 443], FakeMachines.Key(7));
            var machines = new FakeMachines(_ => FakeMachines.Key(9));
            var user = new Ec2RunningUser(new IamClient(new AnyResource(iam)), wish, Path.Combine(folder, "aws"), _ => { });
            var cloud = new Ec2Making(new Ec2Client(new WithConsole(owner.Transport())), wish, machines.Shell(new Guillotine(Blow.None, 0)), user, new Ec2ImageSource("amazon", "*"));
            var journal = MakingJournal.Open(folder, new MakingNotes("ec2", Site, Ec2Desk.Region));
            var maker = new Maker(cloud, journal, new MakingHands((_, _, _) => Task.CompletedTask, (_, _) => Task.CompletedTask), MakingWorld.Patience, TimeProvider.System, _ => { });

            Assert.Empty(await cloud.MissingRightsAsync(owner.Soon));
            Assert.True(await maker.CreateAsync(owner.Soon));
            Assert.False(await maker.CreateAsync(owner.Soon));

            var made = Assert.Single(await owner.Client.DescribeInstancesByTagAsync(Ec2Cloud.SiteTag, Site, ["stopped"], owner.Soon));
            Assert.Equal(FakeMachines.Key(9), Assert.Single(journal.Notes.HostKeys));
            await TheUserCanAsync(Path.Combine(folder, "aws"), made.InstanceId);
            await maker.RemoveAsync(owner.Soon);
            Assert.Empty((await cloud.LookAsync(journal.Notes, everything: true, owner.Soon)).Things);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private async Task TheUserCanAsync(string secretFile, string machine)
    {
        using var daemon = new Ec2Desk(moto.Url, "", "");
        daemon.Credentials(await File.ReadAllTextAsync(secretFile));
        var cloud = daemon.Cloud(Site);
        await cloud.StartAsync(daemon.Soon);
        await daemon.UntilAsync(cloud, InstanceState.Running);
        await cloud.StopAsync(daemon.Soon);
        await daemon.UntilAsync(cloud, InstanceState.Stopped);
        var refused = await Assert.ThrowsAsync<Ec2Exception>(() => daemon.Client.TerminateInstancesAsync(machine, dryRun: false, daemon.Soon));
        Assert.True(Ec2Errors.IsNotPermitted(refused.Code), refused.Code);
    }

    /// <summary>moto's policies know no resource but *.</summary>
    private sealed class AnyResource(IEc2Transport inner) : IEc2Transport
    {
        public Task<XElement> SendAsync(Ec2Call call, CancellationToken ct) => inner.SendAsync(
            call.Parameters.TryGetValue("PolicyDocument", out var document)
                ? new Ec2Call(call.Action).With("UserName", call.Parameters["UserName"]).With("PolicyName", call.Parameters["PolicyName"])
                    .With("PolicyDocument", document.Replace($"arn:aws:ec2:{Ec2Desk.Region}:*:instance/*", "*", StringComparison.Ordinal))
                : call,
            ct);
    }

    /// <summary>moto's console says nothing of a host key.</summary>
    private sealed class WithConsole(IEc2Transport inner) : IEc2Transport
    {
        public async Task<XElement> SendAsync(Ec2Call call, CancellationToken ct)
        {
            var answer = await inner.SendAsync(call, ct);
            if (call.Action == "GetConsoleOutput")
            {
                var text = $"-----BEGIN SSH HOST KEY KEYS-----\n{FakeMachines.Key(9)}\n-----END SSH HOST KEY KEYS-----\n";
                answer.Elements().First(e => e.Name.LocalName == "output").Value = Convert.ToBase64String(System.Text.Encoding.UTF8.GetBytes(text));
            }

            return answer;
        }
    }
}
