using System.Collections.Frozen;
using System.Collections.Immutable;
using Bastion.Configuration;
using Common.Alerts;
using Common.Logins;
using Common.Time;
using Microsoft.Data.Sqlite;

namespace Bastion.Logins;

/// <summary>Who we are and what is known of keys, for judging logins.</summary>
/// <param name="OwnAccount">In a private set-up: our own user name.</param>
/// <param name="Boot">Of the machine.</param>
internal sealed record LoginScene(string Site, string? Vm, ImmutableArray<Identity> Identities, string? OwnAccount, string Boot, ImmutableArray<Route> Routes);

/// <summary>Turns accepted logins into records and alerts, inside the transaction that also moves the log's position.</summary>
internal sealed class LoginRecorder(LoginScene scene, TimeProvider time)
{
    /// <summary>A login that was logged longer ago than this when the agent first came is history.</summary>
    private static readonly TimeSpan HistoryAge = TimeSpan.FromHours(1);

    private readonly FrozenDictionary<string, Identity> _identities = scene.Identities.ToFrozenDictionary(i => i.Fingerprint, StringComparer.Ordinal);

    /// <returns>The record and its alert; null: recorded before.</returns>
    public RecordedLogin? Record(SqliteTransaction transaction, LoginSighting sighting)
    {
        if (LoginStore.IsKnown(transaction, sighting.Source))
        {
            return null;
        }

        var record = Describe(sighting, (subject, network) => LoginStore.HasCome(transaction, subject, network), FreeId(transaction, sighting));
        LoginStore.Add(transaction, record);
        if (!record.Verdict.Tell)
        {
            return new RecordedLogin(record, null);
        }

        var alert = Alert(record);
        Outbox.Add(transaction, alert, scene.Routes);
        return new RecordedLogin(record, alert);
    }

    public ImmutableArray<Route> Routes => scene.Routes;

    /// <summary>The alerts of a batch that cannot be written down now: judged without history, under the ids they will have.</summary>
    public List<Alert> WithoutRecord(LogBatch batch) =>
    [
        .. batch.Entries.Select(LoginSighting.Of).OfType<LoginSighting>()
            .Select(s => Describe(s, (_, _) => true, AlertId.From(Seed(s))))
            .Where(r => r.Verdict.Tell).Select(Alert),
    ];

    private LoginRecord Describe(LoginSighting sighting, Func<string, string, bool> hasCome, string id)
    {
        var now = time.GetUtcNow();
        var login = sighting.Login;
        var subject = login.Key?.Fingerprint ?? $"account {login.User}";
        var network = LoginNetwork.Of(login.From?.Address);
        var identity = login.Key is { } key ? _identities.GetValueOrDefault(key.Fingerprint) : null;
        var history = sighting is { Backlog: true, At: { } logged } && now - logged > HistoryAge;
        var verdict = LoginRules.Judge(login, new LoginContext(identity, !hasCome(subject, network), scene.OwnAccount, history));
        return new LoginRecord(sighting.Source, id, login, verdict, subject, network, sighting.Pid, sighting.At, now, sighting.Boot ?? scene.Boot, Instant.Now(time));
    }

    /// <summary>The same line gets the same id, read by whichever run of the agent; two logins never share one.</summary>
    private string FreeId(SqliteTransaction transaction, LoginSighting sighting)
    {
        var seed = Seed(sighting);
        for (var length = AlertId.Length; length < AlertId.LongLength; length++)
        {
            if (AlertId.From(seed, length) is var id && !LoginStore.IsTaken(transaction, id))
            {
                return id;
            }
        }

        return AlertId.From(seed, AlertId.LongLength);
    }

    private string Seed(LoginSighting sighting) => $"{scene.Site}/bastion/login/{sighting.Source}";

    private Alert Alert(LoginRecord record)
    {
        var verdict = record.Verdict;
        var text = LoginText.Compose(
            scene.Site, time.GetLocalNow(), verdict.Who, verdict.Device, record.Login.From?.Address, verdict.Flags, scene.Vm ?? "", record.AlertId);
        return new Alert(record.AlertId, "login", verdict.Severity, text, record.ReadAt, $"login/{record.Source}");
    }
}

/// <param name="Alert">Null: recorded, not told.</param>
internal sealed record RecordedLogin(LoginRecord Record, Alert? Alert);
