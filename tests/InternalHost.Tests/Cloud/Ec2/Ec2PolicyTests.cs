using System.Text.Json.Nodes;
using InternalHost.Cloud.Ec2;
using InternalHost.Configuration;

namespace InternalHost.Tests.Cloud.Ec2;

public sealed class Ec2PolicyTests
{
    private static readonly JsonNode Policy = JsonNode.Parse(Ec2Policy.Render("home", "eu-central-1", ["t3.nano", "t3a.nano"]))!;

    private static IEnumerable<JsonNode> Statements => Policy["Statement"]!.AsArray().Select(s => s!);

    [Fact]
    public void It_allows_what_the_daemon_calls_and_nothing_else()
    {
        Assert.Equal(Ec2Policy.Actions.Select(a => "ec2:" + a), Statements.SelectMany(s => s["Action"]!.AsArray()).Select(a => (string)a!));
        Assert.All(Statements, s => Assert.Equal("Allow", (string)s["Effect"]!));
    }

    [Fact]
    public void What_changes_anything_is_confined_to_the_sites_instance()
    {
        var changing = Statements.Where(s => (string)s["Sid"]! != "See").ToList();

        Assert.Equal(2, changing.Count);
        Assert.All(changing, s =>
        {
            Assert.Equal("arn:aws:ec2:eu-central-1:*:instance/*", (string)s["Resource"]!);
            Assert.Equal("home", (string)s["Condition"]!["StringEquals"]!["aws:ResourceTag/bastion:site"]![0]!);
        });
        Assert.Equal(["t3.nano", "t3a.nano"], changing[1]["Condition"]!["StringEquals"]!["ec2:Attribute/InstanceType"]!.AsArray().Select(v => (string)v!));
    }

    [Fact]
    public void The_manual_shows_the_policy_as_it_is()
    {
        var clone = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(clone.FullName, "Bastion.sln")))
        {
            clone = clone.Parent ?? throw new DirectoryNotFoundException("Bastion.sln was not found above " + AppContext.BaseDirectory);
        }

        Assert.Contains(Ec2Policy.Render("home", "eu-central-1", SiteDefaults.Ec2Sizes), File.ReadAllText(Path.Combine(clone.FullName, "docs", "cloud.md")));
    }

    [Fact]
    public void Fixed_address_needs_to_be_seen_and_led_to_what_bears_the_tag()
    {
        var policy = JsonNode.Parse(Ec2Policy.Render("home", "eu-central-1", ["t3.nano"], fixedAddress: true))!["Statement"]!.AsArray();

        Assert.Contains("ec2:DescribeAddresses", policy[0]!["Action"]!.AsArray().Select(a => (string)a!));
        Assert.Equal("ec2:AssociateAddress", (string)policy[3]!["Action"]![0]!);
        Assert.Equal("home", (string)policy[3]!["Condition"]!["StringEquals"]!["aws:ResourceTag/bastion:site"]![0]!);
    }

    [Fact]
    public void Chinas_partition_has_its_own_name() => Assert.Contains("arn:aws-cn:ec2:cn-north-1:", Ec2Policy.Render("home", "cn-north-1", ["t3.nano"]));
}
