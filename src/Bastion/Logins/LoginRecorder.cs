using System.Collections.Frozen;
using System.Collections.Immutable;
using Bastion.Configuration;
using Bastion.Logins.Policy;
using Common.Alerts;
using Common.Alerts.Policy;
using Common.Logins;
using Common.Time;
using Microsoft.Data.Sqlite;

namespace Bastion.Logins;

/// <summary>Who we are and what is known of keys, for judging logins.</summary>
/// <param name="OwnAccount">In a private set-up: our own user name.</param>
/// <param name="Boot">Of the machine.</param>
internal sealed record LoginScene(string Site, string? Vm, ImmutableArray<Identity> Identities, string? OwnAccount, string Boot, ImmutableArray<Route> Routes)
{
    /// <summary>Logins that are not pushed.</summary>
    public ImmutableArray<AllowEntry> Allow { get; init; } = [];
}

/// <summary>Turns accepted logins into records and alerts, inside the transaction that also moves the log's position.</summary>
internal sealed class LoginRecorder(LoginScene scene, LoginPolicy policy, TimeProvider time)
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

        var record = Decide(transaction, Describe(sighting, (subject, network) => policy.News(transaction, sighting.Login, subject, network), FreeId(transaction, sighting)));
        LoginStore.Add(transaction, record);
        if (record.Told is not { Push: true } told)
        {
            return new RecordedLogin(record, null);
        }

        var alert = Alert(record);
        Outbox.Add(transaction, alert, told.Routes);
        return new RecordedLogin(record, alert);
    }

    /// <summary>The alerts of a batch that cannot be written down now: judged without history, under the ids they will have, within the same budget.</summary>
    public List<(Alert Alert, ImmutableArray<Route> Routes)> WithoutRecord(LogBatch batch) =>
    [
        .. batch.Entries.Select(LoginSighting.Of).OfType<LoginSighting>()
            .Select(s => Describe(s, (_, _) => LoginContext.Nothing, AlertId.From(Seed(s))))
            .Where(r => r.Verdict.Tell).Select(r => (Alert(r), policy.WithoutRecord(r.AlertId, r.Verdict.Severity)))
            .Where(a => a.Item2 is not null).Select(a => (a.Item1, a.Item2!.Value)),
    ];

    /// <summary>It was in the log long before we came.</summary>
    public static bool IsHistory(bool backlog, DateTimeOffset? at, DateTimeOffset now) => backlog && now - at > HistoryAge;

    private LoginRecord Decide(SqliteTransaction transaction, LoginRecord record)
    {
        var (verdict, told) = policy.Tell(transaction, record);
        return record with { Verdict = verdict, Told = told };
    }

    private LoginRecord Describe(LoginSighting sighting, Func<string, string, LoginContext> news, string id)
    {
        var now = time.GetUtcNow();
        var login = sighting.Login;
        var subject = login.Key?.Fingerprint ?? $"account {login.User}";
        var network = LoginNetwork.Of(login.From?.Address);
        var identity = login.Key is { } key ? _identities.GetValueOrDefault(key.Fingerprint) : null;
        var history = IsHistory(sighting.Backlog, sighting.At, now);
        var context = news(subject, network) with { Identity = identity, OwnAccount = scene.OwnAccount, History = history };
        var verdict = LoginRules.Judge(login, context);
        return new LoginRecord(sighting.Source, id, login, verdict, subject, network, sighting.Pid, sighting.At, now, sighting.Boot ?? scene.Boot, Instant.Now(time))
        {
            Failures = context.Failures,
        };
    }

    /// <summary>The same line gets the same id, read by whichever run of the agent; two logins never share one.</summary>
    private string FreeId(SqliteTransaction transaction, LoginSighting sighting)
    {
        var seed = Seed(sighting);
        for (var length = AlertId.Length; length < AlertId.LongLength; length++)
        {
            if (AlertId.From(seed, length) is var id && !LoginStore.IsTaken(transaction, id, $"login/{sighting.Source}"))
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
        return new Alert(record.AlertId, "login", verdict.Severity, text, record.ReadAt, $"login/{record.Source}")
        {
            Details = LoginDetails.Of(record, scene, time.LocalTimeZone),
        };
    }
}

/// <param name="Alert">Null: recorded, not told.</param>
internal sealed record RecordedLogin(LoginRecord Record, Alert? Alert);
