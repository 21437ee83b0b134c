using System.Collections.Immutable;
using InternalHost.Cloud.Ec2;

namespace InternalHost.Tests.Cloud.Ec2;

public sealed class Ec2CallTests
{
    [Fact]
    public void Lists_filters_and_tags_are_numbered_from_one()
    {
        var call = new Ec2Call("DescribeInstances")
            .WithList("InstanceId", ["i-1", "i-2"])
            .WithFilter("tag:bastion:site", "home")
            .WithFilter("instance-state-name", "running", "stopped")
            .WithTagSpecification("instance", Tags(("b", "2"), ("a", "1")))
            .WithTagSpecification("volume", Tags(("a", "1")));

        Assert.Equal(
            [
                "Filter.1.Name=tag:bastion:site", "Filter.1.Value.1=home",
                "Filter.2.Name=instance-state-name", "Filter.2.Value.1=running", "Filter.2.Value.2=stopped",
                "InstanceId.1=i-1", "InstanceId.2=i-2",
                "TagSpecification.1.ResourceType=instance", "TagSpecification.1.Tag.1.Key=a", "TagSpecification.1.Tag.1.Value=1",
                "TagSpecification.1.Tag.2.Key=b", "TagSpecification.1.Tag.2.Value=2",
                "TagSpecification.2.ResourceType=volume", "TagSpecification.2.Tag.1.Key=a", "TagSpecification.2.Tag.1.Value=1",
            ],
            call.Parameters.Select(p => $"{p.Key}={p.Value}"));
    }

    [Fact]
    public void Absent_values_are_left_out_and_a_dry_run_says_so()
    {
        var call = new Ec2Call("RunInstances").With("KeyName", (string?)null).With("MinCount", 1).With("Encrypted", true);

        Assert.Equal(["Encrypted=true", "MinCount=1"], call.WithDryRun(false).Parameters.Select(p => $"{p.Key}={p.Value}"));
        Assert.Equal("true", call.WithDryRun(true).Parameters["DryRun"]);
    }

    private static ImmutableDictionary<string, string> Tags(params (string Key, string Value)[] tags) => tags.ToImmutableDictionary(t => t.Key, t => t.Value);
}
