using Common;
using Common.Text;

namespace InternalHost.Cloud.DigitalOcean;

/// <summary>What DigitalOcean's errors mean to the controller and, in words, to the owner: the cause, and the next step.</summary>
[PureCore]
internal static class DigitalOceanErrors
{
    private const int Unprocessable = 422;
    private const int LongestWords = 300;

    /// <param name="doing">What was asked for: <c>start the VM</c>.</param>
    public static CloudException ToCloud(DigitalOceanException e, string doing)
    {
        var (failure, words) = e.Fault switch
        {
            CallFault.Refused => OfAnswer(e),
            CallFault.Unreachable => (CloudFailure.Unreachable, "DigitalOcean cannot be reached by this uplink; it is tried again by itself"),
            CallFault.LostReply => (CloudFailure.LostReply, "the connection broke before the whole answer was here; it is looked at before it is asked again"),
            CallFault.Stranger => (CloudFailure.Unreachable, "somebody on the way answered instead of DigitalOcean (a portal, a proxy, or a wrong bastion.endpoint): sign in there, or look at bastion.endpoint"),
            CallFault.NoCredential => (CloudFailure.Denied, "there is no token that can be used: put one into the file of bastion.secret (docs/cloud.md)"),
            _ => (CloudFailure.Unknown, "the call failed in an unknown way"),
        };
        return new CloudException(failure, $"{doing}: {words} ({Detail(e)})", e);
    }

    /// <summary>A size that is not to be had in this region now; another one may be.</summary>
    public static bool IsNoRoom(DigitalOceanException e) => e.Status == Unprocessable
        && (e.Message.Contains("size", StringComparison.OrdinalIgnoreCase) || e.Message.Contains("capacity", StringComparison.OrdinalIgnoreCase))
        && (e.Message.Contains("available", StringComparison.OrdinalIgnoreCase) || e.Message.Contains("capacity", StringComparison.OrdinalIgnoreCase));

    /// <summary>The account's own limit.</summary>
    private static bool IsQuota(DigitalOceanException e) => e.Status == Unprocessable && e.Message.Contains("limit", StringComparison.OrdinalIgnoreCase);

    /// <summary>Another action holds the Droplet.</summary>
    private static bool IsBusy(DigitalOceanException e) => e.Status == Unprocessable && e.Message.Contains("pending", StringComparison.OrdinalIgnoreCase);

    private static (CloudFailure, string) OfAnswer(DigitalOceanException e) => e.Status switch
    {
        401 => (CloudFailure.Denied, "DigitalOcean does not take our token: is it deleted, expired or mistyped? Make a new one and put it into the file of bastion.secret"),
        403 => (CloudFailure.Denied, "our token may not do this: give it the scopes of docs/cloud.md"),
        404 => (CloudFailure.NotFound, "what was asked for is not there (any more)"),
        402 or 412 => (CloudFailure.Denied, "DigitalOcean has something to settle with the account's owner: look at the control panel and its mails"),
        429 => (CloudFailure.Transient, "DigitalOcean asks us to slow down; it is tried again by itself"),
        >= 500 => (CloudFailure.Transient, "DigitalOcean has a bad moment; it is tried again by itself"),
        _ when IsNoRoom(e) => (CloudFailure.Capacity, "there is no room for this size in this region: add sizes to bastion.sizes; it is tried again by itself"),
        _ when IsQuota(e) => (CloudFailure.Capacity, "the account's own limit is reached: destroy what is not needed, or ask DigitalOcean for more"),
        _ when IsBusy(e) => (CloudFailure.Transient, "the Droplet is on its way between two states; it is tried again by itself"),
        _ => (CloudFailure.Unknown, "DigitalOcean refuses this, and we do not know the reason's meaning"),
    };

    private static string Detail(DigitalOceanException e)
    {
        var words = SafeText.Clean(e.Message, LongestWords);
        var cause = e.Id.Length == 0 ? words : $"{SafeText.Clean(e.Id, 64)}: {words}";
        return e.RequestId is null ? cause : $"{cause}; request {SafeText.Clean(e.RequestId, 64)}";
    }
}
