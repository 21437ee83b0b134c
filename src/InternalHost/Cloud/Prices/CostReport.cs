using System.Collections.Immutable;
using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using Common;
using Common.Alerts;
using Common.Alerts.Sms;
using Common.Journal;
using InternalHost.Configuration;
using Microsoft.Data.Sqlite;

namespace InternalHost.Cloud.Prices;

/// <summary>What this month has cost so far, in USD.</summary>
/// <param name="Rest">Disk or snapshot, for the days of the month that are over.</param>
/// <param name="Texts">Sent by this host; what the VM itself sent is in Twilio's bill only.</param>
internal sealed record MonthCost(DateOnly From, double VmHours, decimal Vm, decimal Rest, int Texts, decimal TextsCost)
{
    public decimal Total => Math.Round(Vm + Rest + TextsCost, 2);
}

/// <summary><c>internalhost cost</c>: an estimate, from a table that has a day.</summary>
/// <param name="AtRestMonth">Null: this provider's prices are not in the table.</param>
/// <param name="Text">To one person; null: no SMS.</param>
internal sealed record CostReport(
    string Currency, DateOnly AsOf, bool Old, string Source, string Cloud, string? Region, string? Size, bool Exact,
    decimal? AtRestMonth, decimal? OutageHour, decimal? Text, decimal? NumberMonth, MonthCost ThisMonth, decimal? MonthlyLimit, ImmutableArray<string> Notes);

[PureCore]
internal static class CostReports
{
    private const string FreePlan = "an AWS account on the Free plan is closed after six months: choose the paid plan, or the way in is gone with it";
    private const string OffIsPaid = "a Droplet that is off costs as much as one that runs: internalhost cloud list shows whether there is one";

    /// <param name="used">Running time of the VM and texts to each number, since the first of the month.</param>
    public static CostReport Of(SiteOptions site, TimeSpan used, ImmutableArray<string> texts, DateOnly today)
    {
        var prices = Prices(site);
        var numbers = Numbers(site);
        return new CostReport(
            "USD", PriceTable.AsOf, PriceTable.IsOld(today), PriceTable.Source, Name(site.Bastion.Cloud), site.Bastion.Api?.Region, prices?.Size, prices?.IsExact ?? false,
            prices?.RestMonth, prices?.VmHour, site.Messages.Sms is null ? null : numbers.Select(PriceTable.Text).DefaultIfEmpty(0).Max(),
            site.Messages.Sms is null ? null : PriceTable.NumberMonth, Month(prices, used, texts, today), site.Bastion.MonthlyLimit,
            [.. Notes(site, prices)]);
    }

    public static CloudPrices? Prices(SiteOptions site) => site.Bastion.Api is { } api ? PriceTable.Of(site.Bastion.Cloud, api.Region, api.Sizes[0]) : null;

    /// <summary>What an outage costs: its VM, and each text to each phone. Null: the prices are not known.</summary>
    public static decimal? OfOutage(SiteOptions site, TimeSpan ran, int alerts) =>
        Prices(site) is { } prices ? Math.Round((prices.VmHour * (decimal)ran.TotalHours) + (alerts * Numbers(site).Sum(PriceTable.Text)), 2) : null;

    public static string Render(CostReport report)
    {
        var text = new StringBuilder();
        text.AppendLine(CultureInfo.InvariantCulture, $"estimate in USD, {report.Source}, {report.AsOf:yyyy-MM-dd}");
        if (report.Old)
        {
            text.AppendLine("  this table is older than a year: look at the providers' own pages, or upgrade internalhost");
        }

        if (report.AtRestMonth is { } rest)
        {
            var about = report.Exact ? "" : "about ";
            text.AppendLine(CultureInfo.InvariantCulture, $"{report.Cloud}, {report.Region}, {report.Size}");
            text.AppendLine(CultureInfo.InvariantCulture, $"  at rest            {about}{rest:0.00} a month");
            text.AppendLine(CultureInfo.InvariantCulture, $"  an hour of outage  {about}{report.OutageHour:0.000}");
        }
        else
        {
            text.AppendLine(CultureInfo.InvariantCulture, $"{report.Cloud}: its prices are not in the table");
        }

        if (report.Text is { } each)
        {
            text.AppendLine(CultureInfo.InvariantCulture, $"  a text message     about {each:0.000}, the number {report.NumberMonth:0.00} a month");
        }

        var month = report.ThisMonth;
        text.AppendLine(CultureInfo.InvariantCulture, $"this month, since {month.From:yyyy-MM-dd}: {month.Total:0.00}{(report.MonthlyLimit is { } limit ? $" of {limit:0.00} (bastion.monthly_limit)" : "")}");
        text.AppendLine(CultureInfo.InvariantCulture, $"  the VM ran {month.VmHours:0.0} h: {month.Vm:0.00}; at rest {month.Rest:0.00}; {month.Texts} text messages from here {month.TextsCost:0.00}");
        foreach (var note in report.Notes)
        {
            text.AppendLine(CultureInfo.InvariantCulture, $"note: {note}");
        }

        return text.ToString();
    }

    private static MonthCost Month(CloudPrices? prices, TimeSpan used, ImmutableArray<string> texts, DateOnly today)
    {
        var from = new DateOnly(today.Year, today.Month, 1);
        var over = (decimal)today.Day / DateTime.DaysInMonth(today.Year, today.Month);
        return new MonthCost(
            from, Math.Round(used.TotalHours, 2), Math.Round((prices?.VmHour ?? 0) * (decimal)used.TotalHours, 3),
            Math.Round((prices?.RestMonth ?? 0) * over, 3), texts.Length, Math.Round(texts.Sum(PriceTable.Text), 3));
    }

    private static IEnumerable<string> Notes(SiteOptions site, CloudPrices? prices)
    {
        if (prices is { IsExact: false })
        {
            yield return "prices of this region or size are not in the table; they differ by a few tenths";
        }

        if (site.Bastion.Cloud == CloudKind.Ec2)
        {
            yield return FreePlan;
        }

        if (site.Bastion.Cloud == CloudKind.DigitalOcean)
        {
            yield return OffIsPaid;
        }
    }

    private static string Name(CloudKind cloud) => cloud switch
    {
        CloudKind.Ec2 => "ec2",
        CloudKind.DigitalOcean => "digitalocean",
        CloudKind.Static => "static",
        CloudKind.Command => "command",
        _ => "local",
    };

    /// <summary>Every phone that is told.</summary>
    private static ImmutableArray<string> Numbers(SiteOptions site) =>
        site.Messages.Sms is { } sms ? [.. site.People.Select(p => p.Text).OfType<string>().Concat(sms.To).Distinct(StringComparer.Ordinal)] : [];
}

/// <summary>What was used since the first of the month, out of the state file.</summary>
internal static class CostFacts
{
    /// <exception cref="SqliteException"/>
    public static CostReport Read(SqliteConnection connection, SiteOptions site, DateTimeOffset now)
    {
        var from = new DateTimeOffset(now.Year, now.Month, 1, 0, 0, 0, now.Offset);
        var ran = VmTime.Between(VmMoments.Read(connection, from), from, now);
        var texts = connection
            .Sql(
                "SELECT d.recipient FROM deliveries d JOIN alerts a ON a.id = d.alert_id WHERE d.channel = $sms AND d.provider_id IS NOT NULL AND a.raised_at >= $from",
                ("$sms", TwilioSms.ChannelName), ("$from", from.UtcDateTime.ToString("O", CultureInfo.InvariantCulture)))
            .List(r => r.GetString(0));
        return CostReports.Of(site, ran, [.. texts], DateOnly.FromDateTime(now.DateTime));
    }

    /// <summary>Nothing used: there is no state file yet.</summary>
    public static CostReport Empty(SiteOptions site, DateTimeOffset now) => CostReports.Of(site, TimeSpan.Zero, [], DateOnly.FromDateTime(now.DateTime));
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(CostReport))]
internal sealed partial class CostJson : JsonSerializerContext;
