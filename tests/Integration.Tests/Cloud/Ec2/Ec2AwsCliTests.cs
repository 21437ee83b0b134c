using System.Collections.Immutable;
using InternalHost.Cloud.Ec2;
using Lab.Clouds;
using Testing;

namespace Integration.Tests.Cloud.Ec2;

/// <summary>AWS's own client speaks to the same stand-in: it must be understood by it, and must send what ours sends.</summary>
public sealed class Ec2AwsCliTests : IAsyncLifetime
{
    private const string Id = "i-0123456789abcdef0";
    private static readonly ImmutableSortedDictionary<string, string> Tags = ImmutableSortedDictionary<string, string>.Empty.Add("bastion:site", "home");
    private static readonly Ec2IpPermission[] Ssh = [new("tcp", 49022, 49022, ["0.0.0.0/0"], ["::/0"])];
    private const string SshJson = """[{"IpProtocol":"tcp","FromPort":49022,"ToPort":49022,"IpRanges":[{"CidrIp":"0.0.0.0/0"}],"Ipv6Ranges":[{"CidrIpv6":"::/0"}]}]""";
    private const string TagsOf = ",Tags=[{Key=bastion:site,Value=home}]";

    private Ec2StandIn _ec2 = null!;
    private Ec2Desk _desk = null!;
    private AwsCli _aws = null!;

    public async Task InitializeAsync()
    {
        _ec2 = await Ec2StandIn.StartAsync();
        _desk = new Ec2Desk(_ec2.Url, Ec2StandIn.KeyId, Ec2StandIn.Secret);
        _aws = new AwsCli(_ec2.Url);
    }

    public async Task DisposeAsync()
    {
        _aws.Dispose();
        _desk.Dispose();
        await _ec2.DisposeAsync();
    }

    [NeedsFact(Need.AwsCli)]
    public async Task It_makes_sees_starts_and_stops_a_machine_of_the_stand_in()
    {
        var made = await _aws.Ec2Async(_desk.Soon, "run-instances", "--image-id", "ami-1", "--instance-type", "t3.nano", "--tag-specifications", "ResourceType=instance" + TagsOf);
        var id = (string)made!["Instances"]![0]!["InstanceId"]!;
        await StateAsync(id, "running");

        var stopping = await _aws.Ec2Async(_desk.Soon, "stop-instances", "--instance-ids", id);
        Assert.Equal(("running", "stopping"), ((string)stopping!["StoppingInstances"]![0]!["PreviousState"]!["Name"]!, (string)stopping["StoppingInstances"]![0]!["CurrentState"]!["Name"]!));
        await StateAsync(id, "stopped");
        await _aws.Ec2Async(_desk.Soon, "start-instances", "--instance-ids", id);
        await StateAsync(id, "running");

        var seen = (await _aws.Ec2Async(_desk.Soon, "describe-instances", "--filters", "Name=tag:bastion:site,Values=home"))!["Reservations"]![0]!["Instances"]![0]!;
        var machine = _ec2.Machine(id);
        Assert.Equal((id, "running", $"{machine.Addresses[0]}"), ((string)seen["InstanceId"]!, (string)seen["State"]!["Name"]!, (string)seen["PublicIpAddress"]!));
        Assert.Equal($"{machine.Addresses[1]}", (string)seen["NetworkInterfaces"]![0]!["Ipv6Addresses"]![0]!["Ipv6Address"]!);

        Assert.Null(await _aws.Ec2Async(_desk.Soon, "start-instances", "--instance-ids", Id));
        Assert.Contains("InvalidInstanceID.NotFound", _aws.Error);
        Assert.Null(await _aws.Ec2Async(_desk.Soon, "stop-instances", "--dry-run", "--instance-ids", id));
        Assert.Contains("DryRunOperation", _aws.Error);
    }

    [NeedsFact(Need.AwsCli)]
    public async Task Ours_sends_what_the_command_line_sends()
    {
        var client = _desk.Client;
        var soon = _desk.Soon;
        var wanted = new Ec2NewInstance("token-1", "ami-1", "t3.nano", "key-1", ["sg-1"], Tags, "#cloud-config\n") { VolumeSize = 8, SubnetId = "subnet-1" };
        await SameAsync(
            () => client.DescribeInstancesByTagAsync("bastion:site", "home", ["running", "stopped"], soon),
            "describe-instances", "--filters", "Name=tag:bastion:site,Values=home", "Name=instance-state-name,Values=running,stopped");
        await SameAsync(() => client.DescribeInstanceStatusAsync([Id], soon), "describe-instance-status", "--instance-ids", Id, "--include-all-instances");
        await SameAsync(() => client.StartInstancesAsync(Id, dryRun: true, soon), "start-instances", "--instance-ids", Id, "--dry-run");
        await SameAsync(() => client.TerminateInstancesAsync(Id, dryRun: false, soon), "terminate-instances", "--instance-ids", Id);
        await SameAsync(() => client.ModifyInstanceTypeAsync(Id, "t3a.nano", dryRun: false, soon), "modify-instance-attribute", "--instance-id", Id, "--instance-type", """{"Value":"t3a.nano"}""");
        await SameAsync(() => client.CreateTagsAsync([Id], Tags, soon), "create-tags", "--resources", Id, "--tags", "Key=bastion:site,Value=home");
        await SameAsync(
            () => client.RunInstancesAsync(wanted, dryRun: false, soon),
            "run-instances", "--client-token", "token-1", "--count", "1", "--image-id", "ami-1", "--instance-type", "t3.nano", "--key-name", "key-1", "--subnet-id", "subnet-1",
            "--security-group-ids", "sg-1", "--user-data", "#cloud-config\n", "--metadata-options", "HttpTokens=required,HttpPutResponseHopLimit=1,HttpEndpoint=enabled",
            "--instance-initiated-shutdown-behavior", "stop",
            "--block-device-mappings", """[{"DeviceName":"/dev/xvda","Ebs":{"Encrypted":true,"DeleteOnTermination":true,"VolumeType":"gp3","VolumeSize":8}}]""",
            "--tag-specifications", "ResourceType=instance" + TagsOf, "ResourceType=volume" + TagsOf, "ResourceType=network-interface" + TagsOf);
        await SameAsync(() => client.AuthorizeSecurityGroupIngressAsync("sg-1", Ssh, soon), "authorize-security-group-ingress", "--group-id", "sg-1", "--ip-permissions", SshJson);
        await SameAsync(
            () => client.CreateSecurityGroupAsync("name", "words", "vpc-1", Tags, soon),
            "create-security-group", "--group-name", "name", "--description", "words", "--vpc-id", "vpc-1", "--tag-specifications", "ResourceType=security-group" + TagsOf);
        await SameAsync(
            () => client.DescribeImagesAsync("amazon", "debian-*", "x86_64", soon),
            "describe-images", "--owners", "amazon", "--filters", "Name=name,Values=debian-*", "Name=architecture,Values=x86_64", "Name=state,Values=available");
        await SameAsync(() => client.AllocateAddressAsync(Tags, soon), "allocate-address", "--domain", "vpc", "--tag-specifications", "ResourceType=elastic-ip" + TagsOf);
        await SameAsync(
            () => client.AssociateAddressAsync("eipalloc-1", Id, soon), "associate-address", "--allocation-id", "eipalloc-1", "--instance-id", Id, "--no-allow-reassociation");
    }

    private async Task StateAsync(string id, string state)
    {
        while (_ec2.Machine(id).State != state)
        {
            await Task.Delay(20, _desk.Soon);
        }
    }

    /// <summary>Whether the stand-in can do it or not: what counts is what came.</summary>
    private async Task SameAsync(Func<Task> ours, params string[] theirs)
    {
        await Record.ExceptionAsync(ours);
        var mine = _ec2.Requests.Last();
        await _aws.Ec2Async(_desk.Soon, theirs);
        var cli = _ec2.Requests.Last();

        Assert.True(!ReferenceEquals(mine, cli), $"aws {theirs[0]}: {_aws.Error}");
        Assert.Equal(Lines(cli), Lines(mine));
    }

    private static IEnumerable<string> Lines(Ec2Request request) => request.Parameters.Select(p => $"{request.Action} {p.Key}={p.Value}");
}
