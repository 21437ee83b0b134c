using System.Globalization;
using System.Text;

namespace Common.Alerts;

/// <summary><see cref="AlertView"/> for a screen.</summary>
[PureCore]
public static class AlertText
{
    private const int LabelWidth = 14;

    /// <summary>One line each: <c>#7F3K  2026-07-01 14:02  high      told  home LOGIN ...</c></summary>
    public static string List(IEnumerable<AlertView> alerts, TimeZoneInfo zone)
    {
        var lines = alerts.Select(a => string.Create(CultureInfo.InvariantCulture, $"#{a.Id,-6} {Local(a.At, zone):yyyy-MM-dd HH:mm}  {a.Severity,-8}  {Fate(a),-10}  {Words(a)}")).ToList();
        return lines.Count == 0 ? "nothing yet" : string.Join('\n', lines);
    }

    public static string Explain(AlertView alert, TimeZoneInfo zone)
    {
        var text = new StringBuilder();
        text.Append(CultureInfo.InvariantCulture, $"#{alert.Id}  {alert.Kind}, {alert.Severity}, {Local(alert.At, zone):yyyy-MM-dd HH:mm:ss}\n");
        if (alert.Text.Length > 0)
        {
            text.Append(CultureInfo.InvariantCulture, $"\n  {alert.Text}\n");
        }

        text.Append('\n');
        foreach (var fact in alert.Details)
        {
            Line(text, fact.Label, fact.Value);
        }

        Line(text, "told", alert.Told ? alert.Silence is { } partly ? $"yes, but not by every way: {partly}" : "yes" : $"no: {alert.Silence ?? "recorded only"}");
        foreach (var d in alert.Deliveries)
        {
            var why = string.Join(' ', new[] { d.Code, d.Reason }.Where(w => !string.IsNullOrEmpty(w)));
            Line(text, $"by {d.Channel}", $"{d.To}: {d.Means}{(why.Length > 0 ? $" ({why})" : "")}{(d.ProviderId is { } id ? $", {id}" : "")}");
        }

        return text.ToString().TrimEnd('\n');
    }

    private static void Line(StringBuilder text, string label, string value) =>
        text.Append(CultureInfo.InvariantCulture, $"  {label.PadRight(LabelWidth)} {value}\n");

    private static string Words(AlertView alert) => alert.Told || alert.Silence is null ? alert.Text : $"{alert.Text}: {alert.Silence}";

    private static string Fate(AlertView alert) => !alert.Told ? "not pushed"
        : alert.Deliveries.Any(d => d.State == "confirmed") ? "arrived"
        : alert.Deliveries.Count > 0 && alert.Deliveries.All(d => d.State == "dead") ? "dead"
        : "on its way";

    private static DateTimeOffset Local(DateTimeOffset at, TimeZoneInfo zone) => TimeZoneInfo.ConvertTime(at, zone);
}
