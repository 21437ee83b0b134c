using System.Collections.Frozen;
using System.Collections.Immutable;
using Common.Logins.Policy;
using Common.Alerts;
using Common.Alerts.Policy;
using Common.Logins;
using Common.Time;
using Microsoft.Data.Sqlite;

namespace Common.Logins.Recording;

/// <summary>Who is told of a login: of one machine, or of one site of several that share it.</summary>
/// <param name="Site">First word of the message.</param>
internal sealed record Audience(string Site, string? Vm, ImmutableArray<Route> Routes);

/// <summary>Who we are and what is known of keys, for judging logins.</summary>
/// <param name="OwnAccount">In a private set-up: our own user name.</param>
/// <param name="Boot">Of the machine.</param>
internal sealed record LoginScene(string Site, string? Vm, ImmutableArray<Identity> Identities, string? OwnAccount, string Boot, ImmutableArray<Route> Routes)
{
    /// <summary>Whom a login by this account and key concerns (fingerprint; null: no key); where it answers null, everybody of this scene.</summary>
    public Func<string, string?, Audience?>? AudienceOf { get; init; }

    public Audience For(string user, string? fingerprint) => AudienceOf?.Invoke(user, fingerprint) ?? new Audience(Site, Vm, Routes);

    /// <summary>Logins that are not pushed.</summary>
    public ImmutableArray<AllowEntry> Allow { get; init; } = [];

    /// <summary>The PAM hook is installed here: a login that it does not see is remarkable.</summary>
    public bool HookExpected { get; init; }
}

/// <summary>Turns sightings of logins into records and alerts, inside the transaction that also passes their source.</summary>
internal sealed class LoginRecorder(LoginScene scene, LoginPolicy policy, TimeProvider time)
{
    /// <summary>A login that was logged longer ago than this when the agent first came is history.</summary>
    private static readonly TimeSpan HistoryAge = TimeSpan.FromHours(1);

    private readonly FrozenDictionary<string, Identity> _identities = scene.Identities.ToFrozenDictionary(i => i.Fingerprint, StringComparer.Ordinal);

    public ImmutableArray<Route> Routes => scene.Routes;

    /// <returns>The record and its alert; null: recorded before, by this source or by the other.</returns>
    public RecordedLogin? Record(SqliteTransaction transaction, LoginSighting sighting)
    {
        if (LoginSightings.IsKnown(transaction, sighting.Source))
        {
            return null;
        }

        if (Reconciler.Same(sighting, LoginSightings.OfProcess(transaction, sighting.Boot ?? scene.Boot, sighting.Pid)) is { } known)
        {
            LoginSightings.Join(transaction, known, sighting);
            return null;
        }

        var record = Decide(transaction, Describe(sighting, (subject, network) => policy.News(transaction, sighting.Login, subject, network), FreeId(transaction, sighting)));
        LoginSightings.Add(transaction, LoginStore.Add(transaction, record), sighting, AwaitsHook(sighting));
        if (record.Told is not { Push: true } told)
        {
            return new RecordedLogin(record, null);
        }

        var alert = Alert(record, record.AlertId, About(sighting));
        Outbox.Add(transaction, alert, told.Routes);
        return new RecordedLogin(record, alert);
    }

    /// <summary>Tells of logins that the log has and the hook never wrote down: somebody changed PAM, or sshd does not use it.</summary>
    /// <param name="caughtUp">Everything that the hook has written has been read.</param>
    public List<Alert> WithoutHook(SqliteTransaction transaction, bool caughtUp)
    {
        var now = Instant.Now(time);
        var alerts = new List<Alert>();
        foreach (var (known, record) in LoginSightings.AwaitingHook(transaction).Where(a => Reconciler.IsWithoutHook(a.Login, scene.Boot, now, caughtUp)))
        {
            LoginSightings.HookIsMissing(transaction, known.Seq);
            var about = $"login/{record.AlertId}/without-hook";
            var grave = record with { Verdict = record.Verdict with { Severity = Severity.Critical, Flags = record.Verdict.Flags | LoginFlags.WithoutHook } };
            var alert = Alert(grave, AlertId.From($"{scene.Site}/bastion/{about}"), about);
            Outbox.Add(transaction, alert, For(record).Routes);
            alerts.Add(alert);
        }

        return alerts;
    }

    /// <summary>The alerts of logins that cannot be written down now: judged without history, under the ids they will have, within the same budget.</summary>
    public List<(Alert Alert, ImmutableArray<Route> Routes)> WithoutRecord(IEnumerable<LoginSighting> sightings) =>
    [
        .. sightings.Select(s => (Sighting: s, Record: Describe(s, (_, _) => LoginContext.Nothing, AlertId.From(Seed(s)))))
            .Where(r => r.Record.Verdict.Tell)
            .Select(r => (Alert(r.Record, r.Record.AlertId, About(r.Sighting)), policy.WithoutRecord(r.Record.AlertId, r.Record.Verdict.Severity, For(r.Record).Routes)))
            .Where(a => a.Item2 is not null).Select(a => (a.Item1, a.Item2!.Value)),
    ];

    /// <summary>It was in the log long before we came.</summary>
    public static bool IsHistory(bool backlog, DateTimeOffset? at, DateTimeOffset now) => backlog && now - at > HistoryAge;

    private LoginRecord Decide(SqliteTransaction transaction, LoginRecord record)
    {
        var (verdict, told) = policy.Tell(transaction, record);
        return record with { Verdict = verdict, Told = told };
    }

    /// <summary>What was there before we came may be older than the hook.</summary>
    private bool AwaitsHook(LoginSighting sighting) => scene.HookExpected && sighting is { Login.Sources: LoginSources.Log, Backlog: false, Pid: not null };

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

    /// <summary>The same login gets the same id, seen by whichever source and run of the agent; two logins never share one.</summary>
    private string FreeId(SqliteTransaction transaction, LoginSighting sighting)
    {
        foreach (var seed in (string[])[Seed(sighting), $"{scene.Site}/bastion/login/{sighting.Source}"])
        {
            for (var length = AlertId.Length; length <= AlertId.LongLength; length++)
            {
                if (AlertId.From(seed, length) is var id && !LoginStore.IsTaken(transaction, id, About(sighting)))
                {
                    return id;
                }
            }
        }

        return AlertId.From(sighting.Source, 2 * AlertId.LongLength);
    }

    private string Seed(LoginSighting sighting) => $"{scene.Site}/bastion/{About(sighting)}";

    private string About(LoginSighting sighting) => $"login/{sighting.Identity(scene.Boot)}";

    private Audience For(LoginRecord record) => scene.For(record.Login.User, record.Login.Key?.Fingerprint);

    private Alert Alert(LoginRecord record, string id, string about)
    {
        var (verdict, audience) = (record.Verdict, For(record));
        var text = LoginText.Compose(
            audience.Site, time.GetLocalNow(), verdict.Who, verdict.Device, record.Login.From?.Address, verdict.Flags, audience.Vm ?? "", id);
        return new Alert(id, "login", verdict.Severity, text, record.ReadAt, about)
        {
            Details = LoginDetails.Of(record, audience, time.LocalTimeZone),
        };
    }
}

/// <param name="Alert">Null: recorded, not told.</param>
internal sealed record RecordedLogin(LoginRecord Record, Alert? Alert);
