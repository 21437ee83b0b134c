using System.Collections.Immutable;
using System.Xml.Linq;
using InternalHost.Cloud;
using InternalHost.Cloud.Ec2;

namespace InternalHost.Tests.Cloud.Ec2;

/// <summary>What is read out of the API's answers, as its reference shows them.</summary>
public sealed class Ec2ClientTests
{
    private static readonly ImmutableSortedDictionary<string, string> Tags = ImmutableSortedDictionary<string, string>.Empty.Add("bastion:site", "home");
    private readonly ScriptedTransport _transport = new();

    private Ec2Client Client => new(_transport);

    [Fact]
    public async Task Instances_come_with_all_their_public_addresses_and_masked_states()
    {
        _transport.Next("""
            <DescribeInstancesResponse xmlns="http://ec2.amazonaws.com/doc/2016-11-15/"><requestId>r</requestId><reservationSet><item><instancesSet><item>
              <instanceId>i-1</instanceId><imageId>ami-1</imageId><instanceState><code>272</code><name>running</name></instanceState>
              <keyName>k</keyName><instanceType>t3.nano</instanceType><launchTime>2026-11-21T20:00:00.000Z</launchTime>
              <placement><availabilityZone>eu-central-1a</availabilityZone></placement>
              <ipAddress>203.0.113.7</ipAddress><ipv6Address>2001:db8::7</ipv6Address>
              <stateReason><code>Client.UserInitiatedShutdown</code></stateReason>
              <groupSet><item><groupId>sg-1</groupId></item></groupSet>
              <blockDeviceMapping><item><deviceName>/dev/xvda</deviceName><ebs><volumeId>vol-1</volumeId></ebs></item></blockDeviceMapping>
              <tagSet><item><key>bastion:site</key><value>home</value></item><item><key>empty</key><value/></item></tagSet>
              <networkInterfaceSet>
                <item><association><publicIp>203.0.113.7</publicIp></association>
                  <privateIpAddressesSet><item><association><publicIp>203.0.113.7</publicIp></association></item><item/></privateIpAddressesSet>
                  <ipv6AddressesSet><item><ipv6Address>2001:db8::7</ipv6Address></item></ipv6AddressesSet></item>
                <item><privateIpAddressesSet><item><association><publicIp>203.0.113.8</publicIp></association></item></privateIpAddressesSet></item>
              </networkInterfaceSet>
            </item></instancesSet></item></reservationSet></DescribeInstancesResponse>
            """);

        var instance = Assert.Single(await Client.DescribeInstancesAsync(["i-1"], default));

        Assert.Equal(("i-1", "running", "t3.nano", "Client.UserInitiatedShutdown"), (instance.InstanceId, instance.State, instance.InstanceType, instance.StateReasonCode));
        Assert.Equal(["203.0.113.7", "203.0.113.8", "2001:db8::7"], instance.PublicAddresses.Select(a => a.ToString()));
        Assert.Equal(new DateTimeOffset(2026, 11, 21, 20, 0, 0, TimeSpan.Zero), instance.LaunchTime);
        Assert.Equal(("home", "", "vol-1", "sg-1"), (instance.Tags["bastion:site"], instance.Tags["empty"], instance.VolumeIds["/dev/xvda"], instance.SecurityGroupIds[0]));
    }

    [Fact]
    public async Task All_pages_are_asked_for()
    {
        _transport.Next(Page("i-1", "more")).Next(Page("i-2", "yet more")).Next(Page("i-3", null));

        var all = await Client.DescribeInstancesByTagAsync("bastion:site", "home", ["running"], default);

        Assert.Equal(["i-1", "i-2", "i-3"], all.Select(i => i.InstanceId));
        Assert.Equal([null, "more", "yet more"], _transport.Calls.Select(c => c.Parameters.GetValueOrDefault("NextToken")));
    }

    [Fact]
    public async Task List_without_end_is_given_up()
    {
        for (var i = 0; i < 200; i++)
        {
            _transport.Next(Page("i-1", "more"));
        }

        Assert.Equal(CallFault.Stranger, (await Assert.ThrowsAsync<Ec2Exception>(() => Client.DescribeInstancesAsync([], default))).Fault);
    }

    [Fact]
    public async Task Dry_run_returns_when_it_would_be_allowed_and_throws_when_not()
    {
        _transport.Next(new Ec2Exception(CallFault.Refused, "DryRunOperation", "it would have succeeded", 412)).Next(new Ec2Exception(CallFault.Refused, "UnauthorizedOperation", "no", 403));

        Assert.Empty(await Client.StartInstancesAsync("i-1", dryRun: true, default));
        Assert.Equal("UnauthorizedOperation", (await Assert.ThrowsAsync<Ec2Exception>(() => Client.StopInstancesAsync("i-1", dryRun: true, default))).Code);
        Assert.All(_transport.Calls, c => Assert.Equal("true", c.Parameters["DryRun"]));
    }

    [Fact]
    public async Task What_is_made_is_made_safe()
    {
        _transport.Next("<RunInstancesResponse><instancesSet><item><instanceId>i-1</instanceId><instanceState><code>0</code></instanceState></item></instancesSet></RunInstancesResponse>");

        var made = await Client.RunInstancesAsync(new Ec2NewInstance("token-1", "ami-1", "t3.nano", "k", ["sg-1"], Tags, "#cloud-config\nä: & = +\n"), dryRun: false, default);

        Assert.Equal(("i-1", "pending"), (made!.InstanceId, made.State));
        var sent = _transport.Calls[0].Parameters;
        Assert.Equal(("token-1", "required", "1"), (sent["ClientToken"], sent["MetadataOptions.HttpTokens"], sent["MetadataOptions.HttpPutResponseHopLimit"]));
        Assert.Equal(("stop", "true", "1", "1"), (sent["InstanceInitiatedShutdownBehavior"], sent["BlockDeviceMapping.1.Ebs.Encrypted"], sent["MinCount"], sent["MaxCount"]));
        Assert.Equal("#cloud-config\nä: & = +\n", System.Text.Encoding.UTF8.GetString(Convert.FromBase64String(sent["UserData"])));
        Assert.Equal(["instance", "volume", "network-interface"], Enumerable.Range(1, 3).Select(n => sent[$"TagSpecification.{n}.ResourceType"]));
    }

    [Fact]
    public async Task Security_group_rules_go_out_and_come_back_in_both_families()
    {
        var ssh = new Ec2IpPermission("tcp", 49022, 49022, ["0.0.0.0/0"], ["::/0"]);
        _transport.Next("<AuthorizeSecurityGroupIngressResponse><return>true</return></AuthorizeSecurityGroupIngressResponse>").Next("""
            <DescribeSecurityGroupsResponse><securityGroupInfo><item><groupId>sg-1</groupId><groupName>g</groupName><ipPermissions><item>
            <ipProtocol>tcp</ipProtocol><fromPort>49022</fromPort><toPort>49022</toPort><ipRanges><item><cidrIp>0.0.0.0/0</cidrIp></item></ipRanges>
            <ipv6Ranges><item><cidrIpv6>::/0</cidrIpv6></item></ipv6Ranges></item></ipPermissions></item></securityGroupInfo></DescribeSecurityGroupsResponse>
            """);

        await Client.AuthorizeSecurityGroupIngressAsync("sg-1", [ssh], default);
        var group = Assert.Single(await Client.DescribeSecurityGroupsByTagAsync("bastion:site", "home", default));

        Assert.Equal(
            ["GroupId=sg-1", "IpPermissions.1.FromPort=49022", "IpPermissions.1.IpProtocol=tcp", "IpPermissions.1.IpRanges.1.CidrIp=0.0.0.0/0", "IpPermissions.1.Ipv6Ranges.1.CidrIpv6=::/0", "IpPermissions.1.ToPort=49022"],
            _transport.Calls[0].Parameters.Select(p => $"{p.Key}={p.Value}"));
        Assert.Equal(("tcp", 49022, "0.0.0.0/0", "::/0"), (group.Ingress[0].IpProtocol, group.Ingress[0].ToPort, group.Ingress[0].CidrIps[0], group.Ingress[0].CidrIpv6s[0]));
    }

    [Theory]
    [InlineData("<DescribeInstancesResponse><reservationSet><item><instancesSet><item/></instancesSet></item></reservationSet></DescribeInstancesResponse>", "instanceId")]
    [InlineData("<DescribeInstancesResponse><reservationSet><item><instancesSet><item><instanceId>i-1</instanceId><instanceState><code>7</code></instanceState></item></instancesSet></item></reservationSet></DescribeInstancesResponse>", "state code 7")]
    public async Task Answer_that_lacks_what_is_needed_is_said_to_be_unreadable(string answer, string why)
    {
        _transport.Next(answer);

        var e = await Assert.ThrowsAsync<Ec2Exception>(() => Client.DescribeInstancesAsync([], default));

        Assert.Equal(CallFault.Stranger, e.Fault);
        Assert.Contains(why, e.Message);
    }

    [Fact]
    public async Task Console_output_is_text_or_not_there_yet()
    {
        _transport.Next("<GetConsoleOutputResponse><instanceId>i-1</instanceId><timestamp>2026-11-21T20:00:00Z</timestamp><output>aGVsbG8K</output></GetConsoleOutputResponse>")
            .Next("<GetConsoleOutputResponse><instanceId>i-1</instanceId><output/></GetConsoleOutputResponse>");

        Assert.Equal("hello\n", (await Client.GetConsoleOutputAsync("i-1", default)).Output);
        Assert.Null((await Client.GetConsoleOutputAsync("i-1", default)).Output);
    }

    [Fact]
    public async Task Console_of_a_type_without_the_latest_output_is_asked_for_the_last_one()
    {
        _transport.Next(new Ec2Exception(CallFault.Refused, "UnsupportedOperation", "This instance type does not support it", 400, null))
            .Next("<GetConsoleOutputResponse><instanceId>i-1</instanceId><output>aGVsbG8K</output></GetConsoleOutputResponse>");

        Assert.Equal("hello\n", (await Client.GetConsoleOutputAsync("i-1", default)).Output);
        Assert.Equal([true, false], _transport.Calls.Select(c => c.Parameters.ContainsKey("Latest")));
    }

    private static string Page(string id, string? next) =>
        $"<DescribeInstancesResponse><reservationSet><item><instancesSet><item><instanceId>{id}</instanceId><instanceState><code>16</code></instanceState></item></instancesSet></item></reservationSet>{(next is null ? "" : $"<nextToken>{next}</nextToken>")}</DescribeInstancesResponse>";

    private sealed class ScriptedTransport : IEc2Transport
    {
        private readonly Queue<Func<XElement>> _answers = new();

        public List<Ec2Call> Calls { get; } = [];

        public ScriptedTransport Next(string xml)
        {
            _answers.Enqueue(() => XElement.Parse(xml));
            return this;
        }

        public ScriptedTransport Next(Ec2Exception e)
        {
            _answers.Enqueue(() => throw e);
            return this;
        }

        public Task<XElement> SendAsync(Ec2Call call, CancellationToken ct)
        {
            Calls.Add(call);
            try
            {
                return Task.FromResult(_answers.Dequeue()());
            }
            catch (Ec2Exception e)
            {
                return Task.FromException<XElement>(e);
            }
        }
    }
}
