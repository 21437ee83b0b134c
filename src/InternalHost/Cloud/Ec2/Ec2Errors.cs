using Common;

namespace InternalHost.Cloud.Ec2;

/// <summary>What EC2's error codes mean to the controller and, in words, to the owner: the cause, and the next step.</summary>
[PureCore]
internal static class Ec2Errors
{
    public const string DryRunOperation = "DryRunOperation";
    public const string IncorrectInstanceState = "IncorrectInstanceState";
    public const string InvalidInstanceIdNotFound = "InvalidInstanceID.NotFound";
    public const string UnsupportedOperation = "UnsupportedOperation";

    private static readonly HashSet<string> BadCredentials = new(StringComparer.Ordinal)
    {
        "AuthFailure", "SignatureDoesNotMatch", "InvalidClientTokenId", "InvalidAccessKeyId", "InvalidSecurity", "UnrecognizedClientException",
        "MissingAuthenticationToken", "IncompleteSignature",
    };

    private static readonly HashSet<string> OldCredentials = new(StringComparer.Ordinal) { "ExpiredToken", "ExpiredTokenException" };

    private static readonly HashSet<string> NotPermitted = new(StringComparer.Ordinal) { "UnauthorizedOperation", "AccessDenied", "AccessDeniedException" };

    private static readonly HashSet<string> AccountTrouble = new(StringComparer.Ordinal) { "OptInRequired", "Blocked", "PendingVerification" };

    private static readonly HashSet<string> Throttled = new(StringComparer.Ordinal)
    {
        "RequestLimitExceeded", "Throttling", "ThrottlingException", "ThrottledException", "RequestThrottled", "TooManyRequestsException", "SlowDown", "BandwidthLimitExceeded",
    };

    private static readonly HashSet<string> BadMoment = new(StringComparer.Ordinal)
    {
        "InternalError", "InternalFailure", "ServiceUnavailable", "Unavailable", "RequestTimeout", "Server.InternalError", "ServerInternal", "InsufficientAddressCapacity",
    };

    private static readonly HashSet<string> ClockSkew = new(StringComparer.Ordinal) { "RequestExpired", "RequestTimeTooSkewed", "RequestInTheFuture" };

    private static readonly HashSet<string> Capacity = new(StringComparer.Ordinal)
    {
        "InsufficientInstanceCapacity", "InsufficientHostCapacity", "InsufficientReservedInstanceCapacity", "InsufficientCapacity", "Unsupported",
    };

    private static readonly HashSet<string> Quota = new(StringComparer.Ordinal)
    {
        "InstanceLimitExceeded", "VcpuLimitExceeded", "MaxSpotInstanceCountExceeded", "AddressLimitExceeded", "VolumeLimitExceeded",
        "MaxIOPSLimitExceeded", "SecurityGroupLimitExceeded", "ResourceLimitExceeded",
    };

    /// <summary>No room for this size in this place.</summary>
    public static bool IsCapacity(string code) => Capacity.Contains(code);

    /// <summary>The account's own limit, whatever room there is.</summary>
    public static bool IsQuota(string code) => Quota.Contains(code);

    /// <summary>Our rights do not reach so far, whatever was wanted.</summary>
    public static bool IsNotPermitted(string code) => NotPermitted.Contains(code);

    /// <summary>The key is unknown, or its session is over.</summary>
    public static bool IsBadCredential(string code) => BadCredentials.Contains(code) || OldCredentials.Contains(code);

    /// <param name="doing">What was asked for: <c>start i-1</c>.</param>
    public static CloudException ToCloud(Ec2Exception e, string doing)
    {
        var (failure, words) = e.Fault switch
        {
            CallFault.Refused => OfCode(e.Code),
            CallFault.Unreachable => (CloudFailure.Unreachable, "EC2 cannot be reached by this uplink; it is tried again by itself"),
            CallFault.LostReply => (CloudFailure.LostReply, "the connection broke before EC2's whole answer was here; it is looked at before it is asked again"),
            CallFault.Stranger => (CloudFailure.Unreachable, "somebody on the way answered instead of EC2 (a portal, a proxy, or a wrong bastion.endpoint): sign in there, or look at bastion.endpoint"),
            CallFault.NoCredential => (CloudFailure.Denied, "there is no AWS credential that can be used: name one with bastion.secret (docs/cloud.md)"),
            _ => (CloudFailure.Unknown, "the call to EC2 failed in an unknown way"),
        };
        return new CloudException(failure, $"{doing}: {words} ({Detail(e)})", e);
    }

    private static (CloudFailure, string) OfCode(string code) => code switch
    {
        _ when BadCredentials.Contains(code) => (CloudFailure.Denied, "AWS does not take our key: is it deleted, inactive, or mistyped? Make a new one and put it into the file of bastion.secret"),
        _ when OldCredentials.Contains(code) => (CloudFailure.Denied, "the session of our AWS credential is over: renew it, or use a key that does not expire"),
        _ when NotPermitted.Contains(code) => (CloudFailure.Denied, "our AWS key may not do this: give its user or role the policy of docs/cloud.md"),
        _ when AccountTrouble.Contains(code) => (CloudFailure.Denied, "AWS has something to settle with the account's owner: look at the AWS console and its mails"),
        _ when ClockSkew.Contains(code) => (CloudFailure.Transient, "AWS finds our clock wrong, and its own was not told us: set the clock of this machine (timedatectl)"),
        _ when Throttled.Contains(code) => (CloudFailure.Transient, "AWS asks us to slow down; it is tried again by itself"),
        _ when BadMoment.Contains(code) => (CloudFailure.Transient, "AWS has a bad moment; it is tried again by itself"),
        _ when Capacity.Contains(code) => (CloudFailure.Capacity, "AWS has no room for this size in this zone: add sizes to bastion.sizes; it is tried again by itself"),
        _ when Quota.Contains(code) => (CloudFailure.Capacity, "the AWS account's own limit is reached: stop what is not needed, or ask AWS for more (Service Quotas)"),
        IncorrectInstanceState => (CloudFailure.Transient, "the instance is on its way between two states; it is tried again by itself"),
        "InvalidInstanceID.NotFound" => (CloudFailure.Transient, "EC2 does not know the instance (any more, or yet); it is looked for again by its tag"),
        _ when code.EndsWith(".NotFound", StringComparison.Ordinal) => (CloudFailure.NotFound, "what was asked for is not there in this region: look at bastion.region"),
        _ => (CloudFailure.Unknown, "AWS refuses this, and we do not know the reason's meaning"),
    };

    private static string Detail(Ec2Exception e) => string.Join("; ", new[]
    {
        e.Code.Length == 0 ? OneLine(e.Message) : $"{e.Code}: {OneLine(e.Message)}",
        e.RequestId is null ? null : $"request {e.RequestId}",
    }.Where(t => t is not null));

    private static string OneLine(string text)
    {
        const int longest = 300;
        var line = string.Join(' ', text.Split(['\r', '\n'], StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries));
        return line.Length > longest ? line[..longest] : line;
    }
}
