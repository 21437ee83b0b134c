using System.Collections.Immutable;
using System.Net;
using InternalHost.Cloud;
using InternalHost.Cloud.Ec2;
using InternalHost.Naming;
using Testing;

namespace Integration.Tests.Cloud.Ec2;

public sealed partial class Ec2MotoTests
{
    [NeedsFact(Need.Moto)]
    public async Task Elastic_address_leads_to_the_instance_and_is_never_taken_from_another()
    {
        var (ours, other) = ((await _owner.MakeAsync("elastic")).InstanceId, (await _owner.MakeAsync("elastic2")).InstanceId);
        var kept = await _owner.Client.AllocateAddressAsync(ImmutableSortedDictionary<string, string>.Empty.Add(Ec2Cloud.SiteTag, "elastic"), _owner.Soon);
        var keeper = new ElasticAddress(_owner.Client, kept.PublicIp);

        await keeper.HoldAsync(ours, _owner.Soon);
        await keeper.HoldAsync(ours, _owner.Soon);
        Assert.Equal(ours, Assert.Single(await _owner.Client.DescribeAddressesAsync(kept.PublicIp, _owner.Soon)).InstanceId);

        var elsewhere = await Assert.ThrowsAsync<CloudException>(() => keeper.HoldAsync(other, _owner.Soon));
        var unknown = await Assert.ThrowsAsync<CloudException>(() => new ElasticAddress(_owner.Client, IPAddress.Parse("203.0.113.7")).HoldAsync(ours, _owner.Soon));
        Assert.Equal((CloudFailure.Denied, CloudFailure.NotFound), (elsewhere.Failure, unknown.Failure));
        Assert.Contains($"leads to {ours}", elsewhere.Message, StringComparison.Ordinal);
    }

    /// <summary>It gets past the check of the signature, which covers the document, and past the policy.</summary>
    [NeedsFact(Need.Moto)]
    public async Task Zone_of_Route_53_that_is_not_there_is_told()
    {
        var names = new Route53Names(_owner.Transport(service: AwsService.Route53), "Z0000000000000");

        var e = await Assert.ThrowsAsync<CloudException>(() => names.PutAsync("home.example.net", new NameAddresses(IPAddress.Parse("203.0.113.7"), IPAddress.Parse("2001:db8::7")), _owner.Soon));

        Assert.Equal(CloudFailure.NotFound, e.Failure);
        Assert.Contains("bastion.dns.zone", e.Message, StringComparison.Ordinal);
    }

    [NeedsFact(Need.Moto)]
    public async Task Name_in_a_zone_of_Route_53_has_the_addresses_given_and_no_others()
    {
        const string name = "home.example.net";
        var transport = _owner.Transport(service: AwsService.Route53);
        var zone = await MakeZoneAsync(transport);
        var names = new Route53Names(transport, zone);
        NameAddresses both = new(IPAddress.Parse("203.0.113.7"), IPAddress.Parse("2001:db8::7")), one = new(IPAddress.Parse("203.0.113.8"), null);

        await names.PutAsync(name, both, _owner.Soon);
        await names.PutAsync("other.example.net", both, _owner.Soon);
        Assert.Equal(["A 60 203.0.113.7", "AAAA 60 2001:db8::7"], await RecordsAsync(transport, zone, name));

        await names.PutAsync(name, one, _owner.Soon);
        await names.PutAsync(name, one, _owner.Soon);
        Assert.Equal(["A 60 203.0.113.8"], await RecordsAsync(transport, zone, name));
        Assert.Equal(["A 60 203.0.113.7", "AAAA 60 2001:db8::7"], await RecordsAsync(transport, zone, "other.example.net"));
    }

    private async Task<string> MakeZoneAsync(Ec2Transport transport)
    {
        var body = $"<CreateHostedZoneRequest xmlns=\"https://route53.amazonaws.com/doc/2013-04-01/\"><Name>example.net</Name><CallerReference>{Guid.NewGuid()}</CallerReference></CreateHostedZoneRequest>";
        var made = await transport.SendAsync(new Ec2Call("CreateHostedZone") { Rest = new AwsRest("POST", "/2013-04-01/hostedzone", body) }, _owner.Soon);
        return made.Descendants().First(e => e.Name.LocalName == "Id").Value.Split('/')[^1];
    }

    private async Task<IEnumerable<string>> RecordsAsync(Ec2Transport transport, string zone, string name)
    {
        var all = await transport.SendAsync(new Ec2Call("ListResourceRecordSets") { Rest = new AwsRest("GET", $"/2013-04-01/hostedzone/{zone}/rrset", null) }, _owner.Soon);
        return all.Descendants().Where(e => e.Name.LocalName == "ResourceRecordSet" && e.Text("Name") == name + ".")
            .Select(e => $"{e.Text("Type")} {e.Text("TTL")} {string.Join(' ', e.Descendants().Where(v => v.Name.LocalName == "Value").Select(v => v.Value))}");
    }
}
