using System.Globalization;
using Common.Alerts;
using Common.Journal;
using Common.Logins.Recording;
using Common.Text;
using Microsoft.Data.Sqlite;

namespace Common.Logins.Policy;

/// <summary>The record of logins for people: also those that nobody was told of, each with the rule that kept it back.</summary>
internal static class LoginBook
{
    private const string Columns =
        "alert_id, read_at, user, method, address, port, key_type, fingerprint, certificate, network, role, name, device, severity, flags, why, told, silence, failures, boot, logged_at, way";

    /// <summary>Alerts and logins that were not pushed, newest first.</summary>
    public static IReadOnlyList<AlertView> Recent(SqliteConnection connection, int count)
    {
        var silent = connection.Sql($"SELECT {Columns} FROM logins WHERE told = 0 ORDER BY seq DESC LIMIT $count", ("$count", count)).List(Row);
        return [.. AlertBook.Recent(connection, count).Concat(silent).OrderByDescending(a => a.At).Take(count)];
    }

    /// <summary>Null: there is none of this id.</summary>
    public static AlertView? Find(SqliteConnection connection, string id)
    {
        var login = connection.Sql($"SELECT {Columns} FROM logins WHERE alert_id = $id", ("$id", id)).List(Row).FirstOrDefault();
        return AlertBook.Find(connection, id) is not { } alert ? login
            : login is { Told: true } ? alert with { Silence = login.Silence, Details = alert.Details.Count > 0 ? alert.Details : login.Details }
            : alert;
    }

    /// <summary>What is counted of failed attempts, in one line; null: nothing.</summary>
    public static string? Failures(SqliteConnection connection)
    {
        var failed = FailedLoginStore.Load(connection);
        if (failed.Total == 0)
        {
            return null;
        }

        var networks = failed.TopNetworks(3).Select(n => string.Create(CultureInfo.InvariantCulture, $"{n.Key} {n.Value.Attempts}"));
        var users = failed.TopUsers(3).Select(u => string.Create(CultureInfo.InvariantCulture, $"{u.Key} {u.Value.Attempts}"));
        return string.Create(
            CultureInfo.InvariantCulture,
            $"failed attempts since {failed.Since:yyyy-MM-dd HH:mm} UTC: {failed.Total}, this hour {failed.HourCount}; most from {string.Join(", ", networks)}; as {string.Join(", ", users)}");
    }

    private static AlertView Row(SqliteDataReader row)
    {
        string? Text(int column) => row.IsDBNull(column) ? null : SafeText.Clean(row.GetString(column));
        var (user, told, severity) = (Text(2)!, row.GetBoolean(16), ((Severity)row.GetInt32(13)).ToString().ToLowerInvariant());
        var (role, flags) = ((LoginRole)row.GetInt32(10), (LoginFlags)row.GetInt32(14));
        AlertFact[] facts =
        [
            .. Fact("why", $"{severity}: {Text(15)}"),
            .. Fact("user", user),
            .. Fact("known as", role == LoginRole.Unknown ? null : $"{role.ToString().ToLowerInvariant()} {Text(11)}{(Text(12) is { } device ? $", {device}" : "")}"),
            .. Fact("method", Text(3)),
            .. Fact("key", Text(7) is { } key ? $"{Text(6)} {key}" : null),
            .. Fact("certificate", Text(8)),
            .. Fact("from", Text(4) is { } address ? $"{address} port {Text(5)}" : null),
            .. Fact("came", (LoginWay)row.GetInt32(21) == LoginWay.Tunnel ? "through the tunnel" : null),
            .. Fact("network", $"{Text(9)}{(flags.HasFlag(LoginFlags.NewNetwork) ? ", not seen before" : ", known")}"),
            .. Fact("failed before", row.GetInt32(18) is > 0 and var failures ? $"{failures} connections from the same network in the last hour" : null),
            .. Fact("logged", Text(20)),
            .. Fact("boot", Text(19)),
        ];
        return new AlertView(
            Text(0)!, "login", severity, DateTimeOffset.Parse(row.GetString(1), CultureInfo.InvariantCulture, DateTimeStyles.RoundtripKind),
            $"{Text(11)} as {user} from {Text(4) ?? "an unknown address"}", told, Text(17) ?? (told ? null : Text(15)), facts, []);
    }

    private static IEnumerable<AlertFact> Fact(string label, string? value) => AlertDetail.Of(label, value).Select(d => new AlertFact(d.Label, d.Value));
}
