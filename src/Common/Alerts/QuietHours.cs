using System.Globalization;
using Common.Configuration;

namespace Common.Alerts;

/// <summary>
/// When what can wait does wait: digests and "all well". Outages, logins and a broken safety net never do, whatever their severity.
/// </summary>
/// <param name="From">Of the day, at the site.</param>
/// <param name="Until">May be before <paramref name="From"/>: over midnight.</param>
[PureCore]
public sealed record QuietHours(TimeSpan From, TimeSpan Until)
{
    private static readonly TimeSpan Day = TimeSpan.FromDays(1);

    /// <summary><c>23:00-07:00</c>.</summary>
    public static Reading<QuietHours> Parse(string text) =>
        text.Split('-') is [var from, var until] && Time(from.Trim()) is { } f && Time(until.Trim()) is { } u && f != u
            ? new QuietHours(f, u)
            : Reading.Bad("must be two times of the day such as 23:00-07:00");

    /// <summary>How long this alert rests, told at this local time; zero: not at all.</summary>
    public TimeSpan Hold(Alert alert, DateTimeOffset local) => CanWait(alert) ? Left(local.TimeOfDay) : TimeSpan.Zero;

    public override string ToString() => $"{From:hh\\:mm}-{Until:hh\\:mm}";

    private static bool CanWait(Alert alert) => alert.Severity is Severity.Low or Severity.Normal && alert.Kind is "digest" or "suppressed" or "failed-logins" or "all-well";

    private TimeSpan Left(TimeSpan now)
    {
        var inside = From < Until ? now >= From && now < Until : now >= From || now < Until;
        return !inside ? TimeSpan.Zero : Until > now ? Until - now : Until + Day - now;
    }

    private static TimeSpan? Time(string text) =>
        TimeSpan.TryParseExact(text, "h\\:mm", CultureInfo.InvariantCulture, out var time) || TimeSpan.TryParseExact(text, "hh\\:mm", CultureInfo.InvariantCulture, out time)
            ? time < Day ? time : null
            : null;
}
