using Common;
using InternalHost.Cloud.Ec2;

namespace InternalHost.Cloud.Making;

/// <summary>What EC2's refusals mean to whoever makes a machine: his is the credential, his the account.</summary>
[PureCore]
internal static class Ec2MakingErrors
{
    public const string TokenOfTheTerminated = "IdempotentInstanceTerminated";
    private const string TokenOfAnother = "IdempotentParameterMismatch";

    private static readonly HashSet<string> NoNetwork = new(StringComparer.Ordinal) { "VPCIdNotSpecified", "MissingInput", "DefaultVpcDoesNotExist", "InvalidSubnet.NotFound", "DefaultSubnetDoesNotExist" };

    /// <param name="right">By its IAM name: <c>ec2:RunInstances</c>.</param>
    public static CloudException ToCloud(Ec2Exception e, string right, string doing, string region)
    {
        var usual = Ec2Errors.ToCloud(e, doing);
        return Words(e, right, region) is { } words ? new CloudException(usual.Failure, $"{doing}: {words} ({e.Code}{(e.Code.Length > 0 ? ": " : "")}{FirstLine(e.Message)})", e) : usual;
    }

    public static bool IsGone(string code) => code == IamClient.NoSuchEntity || code.EndsWith(".NotFound", StringComparison.Ordinal);

    /// <summary>Something that goes still uses it.</summary>
    public static bool IsInUse(string code) => code is "DependencyViolation" or "VolumeInUse" or "InvalidIPAddress.InUse" or "IncorrectState" or Ec2Errors.IncorrectInstanceState;

    /// <summary>Null: the usual ones will do.</summary>
    private static string? Words(Ec2Exception e, string right, string region) => e.Fault switch
    {
        CallFault.NoCredential => "there is no AWS credential: set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, of somebody who may make machines; it is used now and kept nowhere",
        CallFault.Refused when Ec2Errors.IsBadCredential(e.Code) => "AWS does not take the credential of the environment or profile: is it deleted, expired or mistyped? aws sts get-caller-identity tells",
        CallFault.Refused when Ec2Errors.IsNotPermitted(e.Code) => $"this AWS credential may not call {right}: give its user that right for as long as this takes, then run it again",
        CallFault.Refused when NoNetwork.Contains(e.Code) =>
            $"AWS has no default network in {region}: make one (aws ec2 create-default-vpc --region {region}; console: VPC, Your VPCs, Actions, Create default VPC), then run this again",
        CallFault.Refused when e.Code == TokenOfAnother => "it was asked for before with other settings (ports, image), and the answer was lost: internalhost cloud remove, then create again",
        _ => null,
    };

    private static string FirstLine(string text) => text.Split('\n', 2)[0].Trim();
}
