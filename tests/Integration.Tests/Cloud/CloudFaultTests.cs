using Integration.Tests.Cloud.Ec2;
using InternalHost.Cloud;
using InternalHost.Messages;
using InternalHost.Tunnel;
using Lab.Clouds;

namespace Integration.Tests.Cloud;

/// <summary>The table of what can be wrong with the cloud: what is said of each in the log, and in the text to the owner.</summary>
public sealed class CloudFaultTests : IAsyncLifetime
{
    private const string Site = "home";
    private static readonly VmFacts Vm = new("bastion-home", "AWS", 443);
    private static readonly OutageFacts Outage = new(Site, "1", OpenCause.PrimaryDown, new(2026, 11, 22, 2, 14, 0, TimeSpan.Zero), null);

    private Ec2StandIn _ec2 = null!;
    private Ec2Desk _desk = null!;

    public async Task InitializeAsync()
    {
        _ec2 = await Ec2StandIn.StartAsync();
        _desk = new Ec2Desk(_ec2.Url, Ec2StandIn.KeyId, Ec2StandIn.Secret);
    }

    public async Task DisposeAsync()
    {
        _desk.Dispose();
        await _ec2.DisposeAsync();
    }

    [Fact]
    public async Task Each_fault_has_its_own_words_and_its_own_text()
    {
        var missing = await FailsAsync(_ => { });
        var machine = _ec2.Make(Site);
        var denied = await FailsAsync(ec2 => ec2.Behaviour = new Ec2Behaviour { Allowed = ["DescribeInstances"] });
        var wrongKey = await FailsAsync(_ => _desk.Key("AKIANOBODYNOBODYNOB0", "x"));
        var noKey = await FailsAsync(_ => _desk.Credentials("nothing"));
        var noRoom = await FailsAsync(ec2 => ec2.Behaviour = new Ec2Behaviour { NoRoomFor = ["t3.nano", "t3a.nano", "t3.micro"] });
        var regionDown = await FailsAsync(ec2 => ec2.Trouble("DescribeInstances", [.. Enumerable.Repeat(new CloudTrouble.Error("Unavailable", 503), 3)]));
        var portal = await FailsAsync(ec2 => ec2.Trouble("DescribeInstances", new CloudTrouble.Page()));
        await _ec2.GoDownAsync();
        var unreachable = await FailsAsync(_ => { });
        await _ec2.GoUpAsync();

        (CloudException Said, CloudFailure Failure, string Words, string Text)[] table =
        [
            (missing, CloudFailure.NotFound, "no instance tagged bastion:site=home", "no VM of ours at AWS. Look for VM bastion-home in the cloud app, I keep looking"),
            (denied, CloudFailure.Denied, "our AWS key may not do this", "AWS refuses our key. Start VM bastion-home in the cloud app, I will join it"),
            (wrongKey, CloudFailure.Denied, "AWS does not take our key", "AWS refuses our key. Start VM"),
            (noKey, CloudFailure.Denied, "bastion.secret", "AWS refuses our key. Start VM"),
            (noRoom, CloudFailure.Capacity, "t3.nano, t3a.nano, t3.micro", "no room at AWS. Start VM"),
            (regionDown, CloudFailure.Transient, "a bad moment", "AWS has trouble. Start VM"),
            (portal, CloudFailure.Unreachable, "portal", "AWS not reached by the backup. Start VM"),
            (unreachable, CloudFailure.Unreachable, "cannot be reached by this uplink", "AWS not reached by the backup. Start VM"),
        ];
        Assert.All(table, row =>
        {
            Assert.Equal(row.Failure, row.Said.Failure);
            Assert.Contains(row.Words, row.Said.Message, StringComparison.Ordinal);
            Assert.Contains("way in NOT open: " + row.Text, Text(WayInProblems.Of(row.Said.Failure)), StringComparison.Ordinal);
            Assert.DoesNotContain(Ec2StandIn.Secret, row.Said.ToString(), StringComparison.Ordinal);
        });
        Assert.Equal(table.Length, table.Select(row => row.Said.Message).Distinct(StringComparer.Ordinal).Count());
        Assert.Contains("wrong key at the VM. Do not accept a new key", Text(WayInProblems.Of(TunnelReason.HostKeyChanged)), StringComparison.Ordinal);
        Assert.Equal("stopped", _ec2.Machine(machine).State);
    }

    [Fact]
    public async Task Machine_that_runs_without_an_address_is_seen_so_and_told_as_booting()
    {
        _ec2.Behaviour = new Ec2Behaviour { AddressesOf = _ => [] };
        _ec2.Make(Site);
        var cloud = _desk.Cloud(Site);

        await cloud.StartAsync(_desk.Soon);
        var sight = await _desk.UntilAsync(cloud, InstanceState.Running);

        Assert.Empty(sight.Addresses);
        Assert.Contains("VM still booting", Text(WayInProblem.VmBooting), StringComparison.Ordinal);
    }

    private static string Text(WayInProblem problem) => OutageMessages.Stuck(Outage, problem, Vm).Text;

    /// <summary>Asked to start while this is wrong; afterwards all is well again.</summary>
    private async Task<CloudException> FailsAsync(Action<Ec2StandIn> wrong)
    {
        wrong(_ec2);
        var e = await Assert.ThrowsAsync<CloudException>(() => _desk.Cloud(Site).StartAsync(_desk.Soon));
        _ec2.Behaviour = new Ec2Behaviour();
        _desk.Key(Ec2StandIn.KeyId, Ec2StandIn.Secret);
        return e;
    }
}
