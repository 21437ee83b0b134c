using System.Net;
using InternalHost.Cloud;
using InternalHost.Cloud.Ec2;
using InternalHost.Cloud.Inventory;
using Lab.Clouds;
using Testing;

namespace Integration.Tests.Cloud.Ec2;

/// <summary>The same contract with somebody else's EC2, which checks signatures and policies with AWS's own code; and what only it has.</summary>
public sealed partial class Ec2MotoTests(MotoServer moto) : IClassFixture<MotoServer>, IDisposable
{
    private readonly Ec2Desk _owner = new(moto.Url, moto.Owner.Id ?? "none", moto.Owner.Secret ?? "none") { Image = Moto.Image };
    private readonly Ec2Desk _daemon = new(moto.Url, moto.Daemon.Id ?? "none", moto.Daemon.Secret ?? "none") { Image = Moto.Image };

    public static TheoryData<string> Clauses => Ec2Contract.Clauses;

    public void Dispose()
    {
        _owner.Dispose();
        _daemon.Dispose();
    }

    [NeedsTheory(Need.Moto)]
    [MemberData(nameof(Clauses))]
    public Task Moto_keeps_the_contract(string clause) => Ec2Contract.HoldsAsync(clause, _owner);

    [NeedsFact(Need.Moto)]
    public async Task All_of_the_daemons_calls_pass_under_its_policy()
    {
        await ClearAsync("home");
        var made = await _owner.MakeAsync("home");
        var cloud = _daemon.Cloud("home");

        Assert.Equal(InstanceState.Running, (await cloud.DescribeAsync(_daemon.Soon)).State);
        await cloud.StopAsync(_daemon.Soon);
        await _daemon.UntilAsync(cloud, InstanceState.Stopped);
        await _daemon.Client.ModifyInstanceTypeAsync(made.InstanceId, "t3.micro", dryRun: false, _daemon.Soon);
        await cloud.StartAsync(_daemon.Soon);
        await _daemon.UntilAsync(cloud, InstanceState.Running);
    }

    [NeedsFact(Need.Moto)]
    public async Task What_the_policy_does_not_name_is_refused()
    {
        var made = await _owner.MakeAsync("other");

        var refused = new List<Ec2Exception>
        {
            await Assert.ThrowsAsync<Ec2Exception>(() => _daemon.MakeAsync("home")),
            await Assert.ThrowsAsync<Ec2Exception>(() => _daemon.Client.TerminateInstancesAsync(made.InstanceId, dryRun: false, _daemon.Soon)),
            await Assert.ThrowsAsync<Ec2Exception>(() => _daemon.Client.DescribeSecurityGroupsByTagAsync("a", "b", _daemon.Soon)),
            await Assert.ThrowsAsync<Ec2Exception>(() => _daemon.Client.CreateTagsAsync([made.InstanceId], new Dictionary<string, string> { ["a"] = "b" }, _daemon.Soon)),
        };

        Assert.All(refused, e => Assert.Equal(CloudFailure.Denied, Ec2Errors.ToCloud(e, "try").Failure));
        Assert.All(refused, e => Assert.True(Ec2Errors.IsNotPermitted(e.Code), e.Code));
    }

    [NeedsTheory(Need.Moto)]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Wrong_key_is_denied(bool knownId)
    {
        using var stranger = new Ec2Desk(moto.Url, knownId ? moto.Daemon.Id : "AKIANOBODYNOBODYNOB0", "not the secret");

        var e = await Assert.ThrowsAsync<CloudException>(() => stranger.Cloud("home").DescribeAsync(stranger.Soon));

        Assert.Equal(CloudFailure.Denied, e.Failure);
        Assert.Contains("does not take our key", e.Message);
    }

    [NeedsFact(Need.Moto)]
    public async Task What_nobody_remembers_is_seen_by_the_daemons_key_and_removed_by_the_owners()
    {
        const string site = "home";
        var (client, soon) = (_owner.Client, _owner.Soon);
        var tags = new Dictionary<string, string> { [Ec2Cloud.SiteTag] = site };
        var owners = new Ec2Inventory(client, site, Ec2Desk.Region);
        await ClearAsync(site);
        var used = await _owner.MakeAsync(site);
        var spare = await _owner.MakeAsync(site);
        await client.StopInstancesAsync(spare.InstanceId, dryRun: false, soon);
        var address = await client.AllocateAddressAsync(tags, soon);

        var seen = await new Ec2Inventory(_daemon.Client, site, Ec2Desk.Region).ListAsync(soon);

        Assert.Empty(seen.Unseen);
        Assert.Equal(used.InstanceId, Assert.Single(seen.Things, t => t is { Kind: CloudThingKind.Machine, Used: true }).Id);
        Assert.Contains(seen.Forgotten, t => t.Id == spare.InstanceId);
        Assert.Contains(seen.Forgotten, t => t.Id == address.AllocationId && t.MonthUsd == 3.65m);
        await Assert.ThrowsAsync<CloudException>(() => new Ec2Inventory(_daemon.Client, site, Ec2Desk.Region).DiscardAsync(seen.Forgotten.First(), soon));
        foreach (var thing in seen.Forgotten.Where(t => t.Id == spare.InstanceId || t.Id == address.AllocationId))
        {
            await owners.DiscardAsync(thing, soon);
        }

        Assert.DoesNotContain((await owners.ListAsync(soon)).Things, t => t.Id == spare.InstanceId || t.Id == address.AllocationId);
        var e = await Assert.ThrowsAsync<CloudException>(() => owners.AdoptAsync("i-0123456789abcdef0", soon));
        Assert.Contains("has a VM already", e.Message, StringComparison.Ordinal);
        await owners.AdoptAsync(used.InstanceId, soon);
    }

    /// <summary>The daemon's policy is for one site, so what another test has left of it goes first.</summary>
    private async Task ClearAsync(string site)
    {
        var owners = new Ec2Inventory(_owner.Client, site, Ec2Desk.Region);
        foreach (var before in (await owners.ListAsync(_owner.Soon)).Things.Where(t => t.Kind != CloudThingKind.Volume))
        {
            await owners.DiscardAsync(before, _owner.Soon);
        }
    }

    [NeedsFact(Need.Moto)]
    public async Task Security_group_rules_of_both_families_come_and_go()
    {
        var client = _owner.Client;
        var tags = new Dictionary<string, string> { [Ec2Cloud.SiteTag] = "rules" };
        var id = await client.CreateSecurityGroupAsync("rules", "what may come in", null, tags, _owner.Soon);
        Ec2IpPermission[] both = [new("tcp", 49022, 49022, ["0.0.0.0/0"], ["::/0"])];

        await client.AuthorizeSecurityGroupIngressAsync(id, both, _owner.Soon);
        var open = Assert.Single(await client.DescribeSecurityGroupsByTagAsync(Ec2Cloud.SiteTag, "rules", _owner.Soon));
        await client.RevokeSecurityGroupIngressAsync(id, both, _owner.Soon);
        var shut = Assert.Single(await client.DescribeSecurityGroupsAsync([id], _owner.Soon));
        await client.DeleteSecurityGroupAsync(id, _owner.Soon);

        Assert.Equal((id, "rules"), (open.GroupId, open.GroupName));
        Assert.Equal(["0.0.0.0/0"], open.Ingress.SelectMany(p => p.CidrIps));
        Assert.Equal(["::/0"], open.Ingress.SelectMany(p => p.CidrIpv6s));
        Assert.Empty(shut.Ingress.SelectMany(p => p.CidrIps.Concat(p.CidrIpv6s)));
        Assert.Empty(await client.DescribeSecurityGroupsByTagAsync(Ec2Cloud.SiteTag, "rules", _owner.Soon));
    }

    [NeedsFact(Need.Moto)]
    public async Task Key_pairs_addresses_volumes_and_zones_are_read_as_they_are_made()
    {
        var (client, soon) = (_owner.Client, _owner.Soon);
        var tags = new Dictionary<string, string> { [Ec2Cloud.SiteTag] = "parts" };
        var made = await _owner.MakeAsync("parts");

        var key = await client.ImportKeyPairAsync("parts", "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIMIxtGteHzUaJWQpUo9A2kB6ASlg+Gce+0D5gAJ30df4", tags, soon);
        Assert.Equal("parts", Assert.Single(await client.DescribeKeyPairsByTagAsync(Ec2Cloud.SiteTag, "parts", soon)).KeyName);
        await client.DeleteKeyPairAsync(key.KeyName, soon);
        Assert.Empty(await client.DescribeKeyPairsByTagAsync(Ec2Cloud.SiteTag, "parts", soon));

        var address = await client.AllocateAddressAsync(tags, soon);
        await client.AssociateAddressAsync(address.AllocationId, made.InstanceId, soon);
        var held = Assert.Single(await client.DescribeAddressesByTagAsync(Ec2Cloud.SiteTag, "parts", soon));
        Assert.Equal((address.PublicIp, made.InstanceId), (held.PublicIp, held.InstanceId));
        Assert.Contains(address.PublicIp, (await client.DescribeInstancesAsync([made.InstanceId], soon))[0].PublicAddresses);

        Assert.Contains(made.InstanceId, (await client.DescribeVolumesByTagAsync(Ec2Cloud.SiteTag, "parts", soon)).Select(v => v.InstanceId));
        Assert.Contains("eu-central-1a", (await client.DescribeAvailabilityZonesAsync(soon)).Select(z => z.ZoneName));
    }
}
