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

    private static string Usd(decimal usd) => usd.ToString("0.00", CultureInfo.InvariantCulture);
}
