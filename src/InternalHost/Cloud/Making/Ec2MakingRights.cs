using System.Collections.Immutable;
using Common;
using InternalHost.Cloud.Ec2;

namespace InternalHost.Cloud.Making;

/// <summary>All rights that making and removing need at EC2, each as a call that can be asked about without being done.</summary>
[PureCore]
internal static class Ec2MakingRights
{
    /// <summary>Of nobody: rights are checked before it is looked for.</summary>
    private const string Instance = "i-00000000000000000";
    private const string Group = "sg-00000000000000000";

    private static readonly ImmutableSortedDictionary<string, string> Tags = ImmutableSortedDictionary<string, string>.Empty.Add(Ec2Cloud.SiteTag, "asked");

    /// <summary>IAM's cannot be asked about; where they are missing the owner makes the user by hand.</summary>
    public static IEnumerable<Ec2Call> Asked(string name, string image, string size) =>
    [
        new Ec2Call("DescribeInstances"),
        new Ec2Call("DescribeSecurityGroups"),
        new Ec2Call("DescribeKeyPairs"),
        new Ec2Call("ImportKeyPair").With("KeyName", name + "-asked").With("PublicKeyMaterial", "c3NoLWVkMjU1MTk=").WithTagSpecification("key-pair", Tags),
        new Ec2Call("CreateSecurityGroup").With("GroupName", name + "-asked").With("GroupDescription", "asked").WithTagSpecification("security-group", Tags),
        new Ec2Call("AuthorizeSecurityGroupIngress").With("GroupId", Group).With("IpPermissions.1.IpProtocol", "tcp").With("IpPermissions.1.FromPort", 443)
            .With("IpPermissions.1.ToPort", 443).With("IpPermissions.1.IpRanges.1.CidrIp", "0.0.0.0/0"),
        new Ec2Call("RunInstances").With("MinCount", 1).With("MaxCount", 1).With("ImageId", image).With("InstanceType", size).WithTagSpecification("instance", Tags).WithTagSpecification("volume", Tags),
        new Ec2Call("GetConsoleOutput").With("InstanceId", Instance),
        new Ec2Call("StartInstances").With("InstanceId.1", Instance),
        new Ec2Call("StopInstances").With("InstanceId.1", Instance),
        new Ec2Call("TerminateInstances").With("InstanceId.1", Instance),
        new Ec2Call("DescribeVolumes"),
        new Ec2Call("DescribeAddresses"),
        new Ec2Call("DeleteKeyPair").With("KeyName", name + "-asked"),
        new Ec2Call("DeleteSecurityGroup").With("GroupId", Group),
    ];
}
