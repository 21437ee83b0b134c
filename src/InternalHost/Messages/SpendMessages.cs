using System.Globalization;
using Common;
using Common.Alerts;
using Common.Text;

namespace InternalHost.Messages;

/// <summary>What the owner is told about money. One SMS segment.</summary>
[PureCore]
internal static class SpendMessages
{
    private const int SiteLimit = 12;
    private const int VmLimit = 13;
    private const int ThingsLimit = 50;

    /// <summary><c>home: the cloud has cost about 3.02 USD this month, your limit is 3.00. The way in still opens when it is needed. #7F3K</c></summary>
    /// <param name="month">Once in each; part of the id.</param>
    /// <param name="idle">The VM that runs though nobody needs it; null: none does.</param>
    public static Alert LimitReached(string site, decimal spent, decimal limit, string month, string? idle, DateTimeOffset raisedAt)
    {
        var id = AlertId.From($"inside/{site}/spend/{month}");
        var text = SmsText.Fit(
            id,
            $"{SmsText.Field(site, SiteLimit)}: the cloud has cost about {Usd(spent)} USD this month, your limit is {Usd(limit)}",
            idle is null ? "" : $". VM {SmsText.Field(idle, VmLimit)} runs and nobody needs it: internalhost close",
            SmsPart.Optional(1, ". The way in still opens when it is needed"),
            ".");
        return new Alert(id, "spend-limit", Severity.Normal, text, raisedAt, $"spend-{month}");
    }

    /// <summary><c>home: nobody uses machine 1234, snapshot 99 in the cloud: about 4.12 USD a month. What to do: internalhost cloud list. #7F3K</c></summary>
    /// <param name="things">As the list calls them: <c>volume vol-1</c>.</param>
    public static Alert Forgotten(string site, IReadOnlyList<string> things, decimal monthUsd, DateTimeOffset raisedAt)
    {
        var id = AlertId.From(string.Create(CultureInfo.InvariantCulture, $"inside/{site}/forgotten/{raisedAt.UtcDateTime:yyyy-MM-dd}"));
        var text = SmsText.Fit(
            id,
            $"{SmsText.Field(site, SiteLimit)}: nobody uses {(things.Count == 1 ? "1 thing" : $"{things.Count} things")} in the cloud",
            SmsPart.Optional(1, $" ({SmsText.Field(string.Join(", ", things), ThingsLimit)})"),
            $", about {Usd(monthUsd)} USD a month. What to do: internalhost cloud list",
            ".");
        return new Alert(id, "cloud-forgotten", Severity.Normal, text, raisedAt, "cloud-forgotten");
    }

    private static string Usd(decimal usd) => usd.ToString("0.00", CultureInfo.InvariantCulture);
}
