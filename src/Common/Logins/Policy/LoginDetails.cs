using System.Collections.Immutable;
using System.Globalization;
using Common.Agent;
using Common.Alerts;
using Common.Logins.Recording;

namespace Common.Logins.Policy;

/// <summary>What is known about a login, for channels with room and for <c>alerts explain</c>. Never a whole key, a token or an environment.</summary>
[PureCore]
internal static class LoginDetails
{
    public static ImmutableArray<AlertDetail> Of(LoginRecord record, Audience audience, LoginHost host, TimeZoneInfo zone)
    {
        var (login, verdict) = (record.Login, record.Verdict);
        return
        [
            .. AlertDetail.Of("why", $"{verdict.Severity.ToString().ToLowerInvariant()}: {verdict.Why}"),
            .. AlertDetail.Of("at", host == LoginHost.Inside ? $"the inside of {audience.Site}" : $"{audience.Vm ?? "bastion"} of {audience.Site}"),
            .. AlertDetail.Of("user", login.User),
            .. AlertDetail.Of("became", login.By is { } by ? $"{login.User}, asked by {by}" : null),
            .. AlertDetail.Of("known as", verdict.Role == LoginRole.Unknown ? null : $"{verdict.Role.ToString().ToLowerInvariant()} {verdict.Who}{(verdict.Device is { } device ? $", {device}" : "")}"),
            .. AlertDetail.Of("method", login.Method),
            .. AlertDetail.Of("key", login.Key is { } key ? $"{key.Type} {key.Fingerprint}" : null),
            .. AlertDetail.Of("certificate", login.Key?.Certificate?.ToString()),
            .. AlertDetail.Of("from", login.From?.ToString()),
            .. AlertDetail.Of("through the bastion", Through(record.Through)),
            .. AlertDetail.Of("network", $"{record.Network}{(verdict.Flags.HasFlag(LoginFlags.NewNetwork) ? ", not seen before" : ", known")}"),
            .. AlertDetail.Of("service", login.Tty is { } tty ? $"{login.Service} on {tty}" : login.Service),
            .. AlertDetail.Of("failed before", record.Failures > 0 ? $"{record.Failures} connections from the same network in the last hour" : null),
            .. AlertDetail.Of("time", $"{Text((record.LoggedAt ?? record.ReadAt).ToUniversalTime())} UTC, here {Text(TimeZoneInfo.ConvertTime(record.LoggedAt ?? record.ReadAt, zone))}"),
            .. AlertDetail.Of("boot", record.Boot),
            .. AlertDetail.Of("to do", host == LoginHost.Inside && record.Way != LoginWay.Tunnel ? "not you? internalhost close" : audience.Vm is { } vm ? $"not you? stop VM {vm} in the cloud app" : "not you? stop the VM in the cloud app"),
        ];
    }

    private static string? Through(AgentEvent? login) => login is null ? null
        : $"{login.Name}{(login.Device is { } device ? $", {device}" : "")}, from {login.From ?? "an unknown address"}{(login.Alert is { } alert ? $", told there by #{alert}: {login.Told}" : ", not told there")}";

    private static string Text(DateTimeOffset at) => at.ToString("yyyy-MM-dd HH:mm:ss", CultureInfo.InvariantCulture);
}
