using System.Globalization;
using Common.Text;

namespace Common.Logins.Policy;

/// <summary>The texts about logins that are not one login: one segment each.</summary>
[PureCore]
internal static class LoginTexts
{
    private const int SiteLimit = 12;
    private const int PersonLimit = 11;
    private const int DeviceLimit = 9;
    private const int UserLimit = 12;

    /// <summary><c>home: 17 more logins by alice, phone key, from 198.51.100.7, 14:02-14:06. #7F3K</c></summary>
    public static string Digest(string site, KeptDigest kept, DateTimeOffset first, DateTimeOffset last, string alertId) => SmsText.Fit(
        alertId,
        $"{SmsText.Field(site, SiteLimit)}: {Number(kept.Digest.Repeats)} {(kept.AlertId is null ? "" : "more ")}{(kept.Digest.Repeats == 1 ? "login" : "logins")} by {SmsText.Name(kept.Who, PersonLimit)}",
        SmsPart.Optional(3, kept.Device is { } device ? $", {SmsText.Name(device, DeviceLimit)} key" : ""),
        $", from {kept.Address ?? "an unknown address"}",
        SmsPart.Optional(2, $", {Span(first, last)}"),
        SmsPart.Optional(1, kept.AlertId is null ? ", on your allow list" : ""),
        ".");

    /// <summary><c>home: 37 login messages not sent, 14:02-14:12: too many at once. All are on record: bastion alerts list. #7F3K</c></summary>
    public static string Unsent((string Site, string Program) host, Unsent unsent, DateTimeOffset first, DateTimeOffset last, string alertId) => SmsText.Fit(
        alertId,
        $"{SmsText.Field(host.Site, SiteLimit)}: {Number(unsent.Count)} login {(unsent.Count == 1 ? "message" : "messages")} not sent",
        SmsPart.Optional(2, $", {Span(first, last)}"),
        ": too many at once.",
        SmsPart.Optional(1, $" All are on record: {host.Program} alerts list."));

    /// <summary><c>home: 100000 failed logins since 13:05, none got in so. Most from 203.0.113.0/24 (40000), as root, admin. #7F3K</c></summary>
    public static string Failed(string site, FailedLogins failed, DateTimeOffset since, DateTimeOffset now, string alertId)
    {
        var top = failed.TopNetworks(1).Select(n => $" Most from {n.Key} ({Number(n.Value.Attempts)})").FirstOrDefault();
        return SmsText.Fit(
            alertId,
            $"{SmsText.Field(site, SiteLimit)}: {Number(failed.Total)} failed logins since {since.ToString(since.Date == now.Date ? "HH:mm" : "dd MMM HH:mm", CultureInfo.InvariantCulture)}.",
            SmsPart.Optional(2, top ?? ""),
            SmsPart.Optional(1, failed.Users.IsEmpty ? "" : $", as {string.Join(", ", failed.TopUsers(3).Select(u => SmsText.Name(u.Key, UserLimit)))}"),
            SmsPart.Optional(3, top is null ? "" : "."));
    }

    private static string Span(DateTimeOffset first, DateTimeOffset last) =>
        $"{first.ToString("HH:mm", CultureInfo.InvariantCulture)}-{last.ToString("HH:mm", CultureInfo.InvariantCulture)}";

    private static string Number(long number) => number.ToString(CultureInfo.InvariantCulture);
}
