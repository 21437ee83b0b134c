using Common;
using Common.Text;
using InternalHost.Cloud.DigitalOcean;

namespace InternalHost.Cloud.Making;

/// <summary>What DigitalOcean's refusals mean to whoever makes a machine.</summary>
[PureCore]
internal static class DropletMakingErrors
{
    private const int Longest = 300;

    public static CloudException ToCloud(DigitalOceanException e, string doing)
    {
        var usual = DigitalOceanErrors.ToCloud(e, doing);
        return Words(e) is { } words ? new CloudException(usual.Failure, $"{doing}: {words} ({SafeText.Clean(e.Message, Longest)})", e) : usual;
    }

    /// <summary>Null: the usual ones will do.</summary>
    private static string? Words(DigitalOceanException e) => e switch
    {
        { Fault: CallFault.NoCredential } => "there is no token: set DIGITALOCEAN_TOKEN, or give --token-file FILE (- reads it from standard input)",
        { Fault: CallFault.Refused, Status: 401 } => "DigitalOcean does not take this token: is it deleted, expired or mistyped?",
        { Fault: CallFault.Refused, Status: 403 } => "this token may not do this: making needs one with full access, or the scopes of docs/cloud.md; it is used now and kept nowhere",
        _ => null,
    };
}
