using Common;
using Common.Alerts;
using Common.Text;

namespace InternalHost.Messages;

/// <summary>What the owner is told when two machines end each other's tunnels. One SMS segment.</summary>
[PureCore]
internal static class SharedAccountMessage
{
    private const int SiteLimit = 12;

    /// <param name="occasion">The same for what is told once.</param>
    public static Alert Of(string site, string occasion, DateTimeOffset raisedAt)
    {
        var id = AlertId.From($"inside/{site}/evicted/{occasion}");
        var text = SmsText.Fit(
            id, SmsText.Field(site, SiteLimit), ": another machine uses this site's account at the bastion: each ends the other's tunnel, every 30 s. Stop one of them.");
        return new Alert(id, "evicted", Severity.High, text, raisedAt);
    }
}
