using System.Collections.Immutable;
using Common.Logins.Policy;
using Common.Alerts;
using Common.Alerts.Policy;
using Common.Logins;
using Common.Time;
using Microsoft.Data.Sqlite;

namespace Common.Logins.Recording;

/// <summary>Turns sightings of logins into records and alerts, inside the transaction that also passes their source.</summary>
/// <param name="scenes">Read for each login: people and numbers may change.</param>
/// <param name="way">How an ssh login came to this host; null: nothing leads here but the network.</param>
internal sealed class LoginRecorder(Func<LoginScene> scenes, LoginPolicy policy, TimeProvider time, Func<Login, LoginWay>? way = null)
{
    /// <summary>A login that was logged longer ago than this when the agent first came is history.</summary>
    private static readonly TimeSpan HistoryAge = TimeSpan.FromHours(1);

    /// <summary>For the texts; null while the clock is not to be trusted.</summary>
    public Func<DateTimeOffset?> WallTime { get; init; } = () => time.GetLocalNow();

    /// <summary>Logins that stay on record.</summary>
    public int Kept { get; init; } = LoginRetention.Kept;

    private readonly EvictionAlert _evictions = new(scenes, time);

    private LoginScene Scene => scenes();

    /// <returns>The record and its alert; null: recorded before, by this source or by the other.</returns>
    public RecordedLogin? Record(SqliteTransaction transaction, LoginSighting sighting)
    {
        var recorded = Keep(transaction, sighting);
        _evictions.Look(transaction, sighting);
        return recorded;
    }

    private RecordedLogin? Keep(SqliteTransaction transaction, LoginSighting sighting)
    {
        if (LoginSightings.IsKnown(transaction, sighting.Source))
        {
            return null;
        }

        if (Reconciler.Same(sighting, LoginSightings.OfProcess(transaction, sighting.Boot ?? Scene.Boot, sighting.Pid)) is { } known)
        {
            LoginSightings.Join(transaction, known, sighting);
            return null;
        }

        var record = Decide(transaction, Describe(sighting, (subject, network) => policy.News(transaction, sighting.Login, subject, network), FreeId(transaction, sighting)));
        var seq = LoginStore.Add(transaction, record);
        LoginSightings.Add(transaction, seq, sighting, AwaitsHook(sighting));
        if (seq % LoginRetention.Every == 0)
        {
            LoginRetention.Prune(transaction, Scene.Host == LoginHost.Bastion ? Scene.Boot : null, Kept);
        }

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
        foreach (var (known, record) in LoginSightings.AwaitingHook(transaction).Where(a => Reconciler.IsWithoutHook(a.Login, Scene.Boot, now, caughtUp)))
        {
            LoginSightings.HookIsMissing(transaction, known.Seq);
            var about = $"login/{record.AlertId}/without-hook";
            var grave = record with { Verdict = record.Verdict with { Severity = Severity.Critical, Flags = record.Verdict.Flags | LoginFlags.WithoutHook } };
            var alert = Alert(grave, AlertId.From($"{Scene.Site}/{Scene.Place}/{about}"), about);
            Outbox.Add(transaction, alert, For(record).Routes);
            alerts.Add(alert);
        }

        return alerts;
    }

    /// <summary>What the bastion says of a login that came through the tunnel decides what is told of it.</summary>
    /// <returns>Null: it does not wait any more.</returns>
    public RecordedLogin? Hear(SqliteTransaction transaction, long seq, BastionWord word)
    {
        if (LoginStore.Awaiting(transaction).Find(a => a.Seq == seq).Record is not { } record)
        {
            return null;
        }

        var heard = record with { Verdict = LoginRules.Hear(record.Verdict, word), Through = word.Session };
        var (verdict, told) = word is BastionWord.Told { By: var by }
            ? (heard.Verdict, Told.Nobody($"told by the bastion's #{by.Alert}, which arrived"))
            : policy.Tell(transaction, heard);
        heard = heard with { Verdict = verdict, Told = told };
        LoginStore.Heard(transaction, seq, heard);
        if (!told.Push)
        {
            return new RecordedLogin(heard, null);
        }

        var alert = Alert(heard, heard.AlertId, $"login/{heard.Identity}");
        Outbox.Add(transaction, alert, told.Routes);
        return new RecordedLogin(heard, alert);
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
        if (record is { Way: LoginWay.Tunnel, Verdict: { Tell: true, Severity: < Severity.Critical } })
        {
            policy.Remember(transaction, record);
            return record with { Told = Told.Later };
        }

        var (verdict, told) = policy.Tell(transaction, record);
        return record with { Verdict = verdict, Told = told };
    }

    /// <summary>What was there before we came may be older than the hook.</summary>
    private bool AwaitsHook(LoginSighting sighting) => Scene.HookExpected && sighting is { Login.Sources: LoginSources.Log, Backlog: false, Pid: not null };

    private LoginRecord Describe(LoginSighting sighting, Func<string, string, LoginContext> news, string id)
    {
        var now = time.GetUtcNow();
        var login = sighting.Login;
        var subject = login.Key?.Fingerprint ?? $"account {login.User}";
        var network = LoginNetwork.Of(login.From?.Address);
        var history = IsHistory(sighting.Backlog, sighting.At, now);
        var came = history || login.Kind != LoginKind.Ssh ? LoginWay.Direct : way?.Invoke(login) ?? LoginWay.Direct;
        var context = news(subject, network) with { Identity = Scene.OwnerOf(login.Key), OwnAccount = Scene.OwnAccount, History = history, Host = Scene.Host, Way = came };
        var verdict = LoginRules.Judge(login, context);
        return new LoginRecord(sighting.Source, id, login, verdict, subject, network, sighting.Pid, sighting.At, now, sighting.Boot ?? Scene.Boot, Instant.Now(time))
        {
            Failures = context.Failures,
            Way = came,
        };
    }

    /// <summary>The same login gets the same id, seen by whichever source and run of the agent; two logins never share one.</summary>
    private string FreeId(SqliteTransaction transaction, LoginSighting sighting)
    {
        foreach (var seed in (string[])[Seed(sighting), $"{Scene.Site}/{Scene.Place}/login/{sighting.Source}"])
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

    private string Seed(LoginSighting sighting) => $"{Scene.Site}/{Scene.Place}/{About(sighting)}";

    private string About(LoginSighting sighting) => $"login/{sighting.Identity(Scene.Boot)}";

    private Audience For(LoginRecord record) => Scene.For(record.Login.User, record.Login.Key?.Fingerprint);

    private Alert Alert(LoginRecord record, string id, string about)
    {
        var (verdict, audience, host) = (record.Verdict, For(record), Scene.Host);
        var text = LoginText.Compose(audience.Site, WallTime(), verdict.Who, verdict.Device, record.From, verdict.Flags, host == LoginHost.Bastion || record.Way == LoginWay.Tunnel ? audience.Vm ?? "" : null, id, LoginText.At(record.Login.Kind, record.Login.By));
        return new Alert(id, "login", verdict.Severity, text, record.ReadAt, about)
        {
            Details = LoginDetails.Of(record, audience, host, time.LocalTimeZone),
        };
    }
}

/// <param name="Alert">Null: recorded, not told.</param>
internal sealed record RecordedLogin(LoginRecord Record, Alert? Alert);
