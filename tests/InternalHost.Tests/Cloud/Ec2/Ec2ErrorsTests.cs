using InternalHost.Cloud;
using InternalHost.Cloud.Ec2;

namespace InternalHost.Tests.Cloud.Ec2;

public sealed class Ec2ErrorsTests
{
    [Theory]
    [InlineData("AuthFailure", CloudFailure.Denied, "does not take our key")]
    [InlineData("SignatureDoesNotMatch", CloudFailure.Denied, "does not take our key")]
    [InlineData("InvalidClientTokenId", CloudFailure.Denied, "does not take our key")]
    [InlineData("ExpiredToken", CloudFailure.Denied, "session")]
    [InlineData("UnauthorizedOperation", CloudFailure.Denied, "policy")]
    [InlineData("AccessDenied", CloudFailure.Denied, "policy")]
    [InlineData("OptInRequired", CloudFailure.Denied, "AWS console")]
    [InlineData("RequestExpired", CloudFailure.Transient, "clock")]
    [InlineData("RequestLimitExceeded", CloudFailure.Transient, "slow down")]
    [InlineData("Unavailable", CloudFailure.Transient, "bad moment")]
    [InlineData("InsufficientInstanceCapacity", CloudFailure.Capacity, "bastion.sizes")]
    [InlineData("VcpuLimitExceeded", CloudFailure.Capacity, "Service Quotas")]
    [InlineData("InstanceLimitExceeded", CloudFailure.Capacity, "Service Quotas")]
    [InlineData("IncorrectInstanceState", CloudFailure.Transient, "between two states")]
    [InlineData("InvalidInstanceID.NotFound", CloudFailure.Transient, "looked for again")]
    [InlineData("InvalidGroup.NotFound", CloudFailure.NotFound, "bastion.region")]
    [InlineData("SomethingNew", CloudFailure.Unknown, "refuses this")]
    public void Error_code_becomes_a_kind_and_a_next_step(string code, CloudFailure failure, string words)
    {
        var cloud = Ec2Errors.ToCloud(new Ec2Exception(CallFault.Refused, code, "what AWS says", 400, "req-1"), "start the VM");

        Assert.Equal(failure, cloud.Failure);
        Assert.StartsWith("start the VM: ", cloud.Message);
        Assert.Contains(words, cloud.Message);
        Assert.EndsWith($"({code}: what AWS says; request req-1)", cloud.Message);
    }

    [Theory]
    [InlineData(CallFault.Unreachable, CloudFailure.Unreachable, "cannot be reached")]
    [InlineData(CallFault.LostReply, CloudFailure.LostReply, "looked at before it is asked again")]
    [InlineData(CallFault.Stranger, CloudFailure.Unreachable, "portal")]
    [InlineData(CallFault.NoCredential, CloudFailure.Denied, "bastion.secret")]
    [InlineData(CallFault.Unknown, CloudFailure.Unknown, "unknown")]
    public void Call_without_an_answer_of_ec2_is_told_apart(CallFault fault, CloudFailure failure, string words)
    {
        var cloud = Ec2Errors.ToCloud(new Ec2Exception(fault, "", "two\nlines"), "look for the VM");

        Assert.Equal(failure, cloud.Failure);
        Assert.Contains(words, cloud.Message);
        Assert.EndsWith("(two lines)", cloud.Message);
    }

    [Fact]
    public void Every_fault_has_its_words()
    {
        var messages = Enum.GetValues<CallFault>().Select(f => Ec2Errors.ToCloud(new Ec2Exception(f, "X", "y"), "z").Message).ToList();

        Assert.Equal(messages.Count, messages.Distinct().Count());
    }
}
