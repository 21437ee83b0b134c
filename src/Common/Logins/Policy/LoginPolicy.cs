using System.Collections.Immutable;
using Common.Alerts;
using Common.Alerts.Policy;
using Common.Logins;
using Common.Time;
using Microsoft.Data.Sqlite;
using Common.Logins.Recording;

namespace Common.Logins.Policy;

/// <summary>What is told of one login.</summary>
/// <param name="Push">It goes to the outbox: also where nobody is to be told, for a dead letter that says so.</param>
/// <param name="Silence">Why it is not pushed, or not by every way.</param>
internal sealed record Told(bool Push, ImmutableArray<Route> Routes, string? Silence)
{
    /// <summary>The alert in whose digest it is counted; null: in none.</summary>
    public string? RepeatOf { get; init; }

    /// <summary>The bastion is asked first.</summary>
    public bool Awaits { get; init; }

    public static readonly Told Later = new(false, [], "waits for the bastion's word") { Awaits = true };

    public static Told Nobody(string? why) => new(false, [], why);
}

/// <summary>
/// Decides in the transaction that records a login what is told of it. Everything that it remembers is in that transaction, so that
/// neither a kill nor a restart forgets a message that was sent or a repeat that was counted.
/// </summary>
/// <param name="scenes">Read each time: people and numbers may change.</param>
internal sealed class LoginPolicy(Func<LoginScene> scenes, TimeProvider time)
{
    /// <summary>Decided while the disk failed, so that one login is decided once.</summary>
    private readonly Dictionary<string, ImmutableArray<Route>?> _unrecorded = new(StringComparer.Ordinal);
    private readonly Dictionary<Route, ImmutableArray<TokenBucket>> _spent = [];

    /// <summary>As on disk, and with what this transaction adds.</summary>
    private FailedLogins? _failed;
    private FailedLogins _counting = FailedLogins.None;
    private DateTimeOffset _latest;

    private LoginScene Scene => scenes();

    /// <summary>When a digest, a notice or a summary may be due. Before the first transaction: now.</summary>
    public Instant Due { get; private set; } = new(long.MinValue);

    /// <summary>First in each transaction.</summary>
    public void Begin(SqliteTransaction transaction)
    {
        var now = Instant.Now(time);
        LoginPolicyStore.Rebase(transaction, Scene.Boot, now);
        _latest = LoginPolicyStore.Tick(transaction, Scene.Boot, now, time.GetUtcNow());
        _failed ??= FailedLoginStore.Load(transaction.Connection!);
        _counting = _failed;
    }

    /// <summary>Counts a failed attempt; what is older than us is history.</summary>
    public void Note(LogEntry entry)
    {
        if (!LoginRecorder.IsHistory(entry.Backlog, entry.Line.At, time.GetUtcNow()) && FailedAttempt.Of(entry.Line.Message) is { } attempt)
        {
            _counting = _counting.Add(attempt, Instant.Now(time), time.GetUtcNow());
        }
    }

    /// <summary>What is new about a login.</summary>
    public LoginContext News(SqliteTransaction transaction, Login login, string subject, string network)
    {
        var (subjectSeen, networkSeen, moved) = LoginPolicyStore.Seen(transaction, subject, network, Scene.Boot);
        return new LoginContext(null, !networkSeen) { NewSubject = !subjectSeen, Moved = moved, Failures = _counting.Before(login.From, Instant.Now(time)) };
    }

    /// <summary>It came, and is decided later.</summary>
    public void Remember(SqliteTransaction transaction, LoginRecord record) => LoginPolicyStore.See(transaction, record.Subject, record.Network, Scene.Boot);

    /// <summary>Decides, and remembers that it came. The verdict may be graded down: a repeat is no news.</summary>
    public (LoginVerdict Verdict, Told Told) Tell(SqliteTransaction transaction, LoginRecord record)
    {
        var (login, now, wall) = (record.Login, Instant.Now(time), time.GetUtcNow());
        LoginPolicyStore.See(transaction, record.Subject, record.Network, Scene.Boot);
        var tuple = $"{login.Service}|{login.User}|{record.Subject}|{record.Network}";
        var kept = LoginPolicyStore.Digest(transaction, tuple);
        var allowed = AllowList.Find(Scene.Allow, login.From?.Address, login.User, login.Key?.Fingerprint, _latest);
        var step = LoginTelling.Decide(
            record.Verdict, kept is { AlertId: { } opener } ? (kept.Digest, opener) : null, allowed, LoginPolicyStore.Pushes(transaction, record.Subject, now), now);
        var window = kept ?? new KeptDigest(
            tuple, step.Kind == TellingKind.Push ? record.AlertId : null, record.Verdict.Who, record.Verdict.Device, LoginText.Network(login.From?.Address), Digest.Open(now, step.Window, wall));
        switch (step.Kind)
        {
            case TellingKind.Fold:
                Keep(transaction, window with { Digest = window.Digest.Add(wall) });
                return (record.Verdict with { Severity = Severity.Normal }, Told.Nobody(step.Why) with { RepeatOf = allowed is null ? window.AlertId : null });
            case TellingKind.Push:
                var told = Spend(transaction, step.Lane, now, Scene.For(login.User, login.Key?.Fingerprint).Routes);
                if (told.Push)
                {
                    LoginPolicyStore.Pushed(transaction, record.Subject, now);
                    Keep(transaction, window);
                }

                return (record.Verdict, told);
            default:
                return (record.Verdict, Told.Nobody(step.Why));
        }
    }

    /// <summary>Digests whose window is over, the notice of what was kept back, the summary of failed attempts: written as alerts.</summary>
    public bool TellDue(SqliteTransaction transaction)
    {
        var now = Instant.Now(time);
        var told = LoginPolicyStore.Due(transaction, now).ConvertAll(d => Close(transaction, d, now)).Contains(true);
        told |= TellUnsent(transaction, now);
        var (next, summary) = _counting.Hourly(now);
        if (summary)
        {
            told |= Raise(transaction, "failed-logins", $"{Scene.Boot}/{now.Ticks}", id => LoginTexts.Failed(Scene.Site, _counting, Local(_counting.Since), Local(time.GetUtcNow()), id), now);
        }

        _counting = next;
        return told;
    }

    /// <summary>Last in each transaction.</summary>
    public void End(SqliteTransaction transaction)
    {
        FailedLoginStore.Save(transaction, _failed!, _counting);
        Due = Instant.Min(LoginPolicyStore.NextDue(transaction), _counting.Due);
    }

    /// <summary>The transaction is on disk.</summary>
    public void Committed()
    {
        _failed = _counting;
        _unrecorded.Clear();
    }

    /// <summary>The transaction failed: what it had counted is counted again.</summary>
    public void Failed() => Due = new Instant(long.MinValue);

    /// <summary>Whom to tell while nothing can be written down: without history, and within the same budget. Null: it is used up.</summary>
    public ImmutableArray<Route>? WithoutRecord(string alertId, Severity severity, ImmutableArray<Route> all)
    {
        if (!_unrecorded.TryGetValue(alertId, out var routes))
        {
            var (now, lane) = (Instant.Now(time), severity == Severity.Critical ? AlertLane.Reserved : AlertLane.Ordinary);
            var taken = all.Where(route => TakeFromMemory(route, lane, now)).ToImmutableArray();
            _unrecorded[alertId] = routes = taken.IsEmpty && !all.IsEmpty ? null : taken;
        }

        return routes;
    }

    private bool TakeFromMemory(Route route, AlertLane lane, Instant now)
    {
        if (AlertBudget.Take(_spent.GetValueOrDefault(route, []), route.Channel, lane, now) is not { } taken)
        {
            return false;
        }

        _spent[route] = taken;
        return true;
    }

    private Told Spend(SqliteTransaction transaction, AlertLane lane, Instant now, ImmutableArray<Route> all)
    {
        var routes = all.Where(route => Take(transaction, route, lane, now)).ToImmutableArray();
        var refused = all.Except(routes).ToList();
        if (refused.Exists(r => routes.All(p => p.Person != r.Person)))
        {
            KeepBack(transaction, 1, now);
        }

        return new Told(
            all.IsEmpty || !routes.IsEmpty, routes,
            refused.Count == 0 ? null : $"the budget of {string.Join(", ", refused.Select(r => r.Channel).Distinct())} is used up for now");
    }

    private bool Take(SqliteTransaction transaction, Route route, AlertLane lane, Instant now)
    {
        if (AlertBudget.Take(LoginPolicyStore.Buckets(transaction, route), route.Channel, lane, now) is not { } taken)
        {
            return false;
        }

        LoginPolicyStore.Keep(transaction, route, taken);
        _spent[route] = taken;
        return true;
    }

    private void Keep(SqliteTransaction transaction, KeptDigest digest)
    {
        if (LoginPolicyStore.Keep(transaction, digest) is > 0 and var untold)
        {
            KeepBack(transaction, untold, Instant.Now(time));
        }
    }

    private void KeepBack(SqliteTransaction transaction, int count, Instant now)
    {
        var (known, wall) = (LoginPolicyStore.Unsent(transaction), time.GetUtcNow());
        LoginPolicyStore.Keep(transaction, known is null
            ? new Unsent(count, wall, wall, now + Unsent.FirstNotice)
            : known with { Count = known.Count + count, First = known.Count == 0 ? wall : known.First, Last = wall });
    }

    private bool Close(SqliteTransaction transaction, KeptDigest kept, Instant now)
    {
        if (kept.Digest.Next(now) is not { } next)
        {
            LoginPolicyStore.Forget(transaction, kept.Tuple);
            return false;
        }

        LoginPolicyStore.Keep(transaction, kept with { Digest = next });
        var audience = AudienceOf(kept);
        var told = Spend(transaction, AlertLane.Ordinary, now, audience.Routes);
        if (told.Push)
        {
            Raise(transaction, "digest", $"{kept.Tuple}/{Scene.Boot}/{kept.Digest.Ends.Ticks}",
                id => LoginTexts.Digest(audience.Site, kept, Local(kept.Digest.First), Local(kept.Digest.Last), id), told.Routes);
        }
        else if (kept.Digest.Repeats > 1)
        {
            KeepBack(transaction, kept.Digest.Repeats - 1, now);
        }

        return told.Push;
    }

    /// <summary>A tuple is <c>service|account|subject|network</c>; who calls himself by a bar is in no list, and everybody is told.</summary>
    private Audience AudienceOf(KeptDigest kept) => kept.Tuple.Split('|') is [_, var user, var subject, _] ? Scene.For(user, subject) : Scene.For("", null);

    private bool TellUnsent(SqliteTransaction transaction, Instant now)
    {
        if (LoginPolicyStore.Unsent(transaction) is not { } unsent || now < unsent.Due)
        {
            return false;
        }

        if (unsent.Count == 0)
        {
            LoginPolicyStore.ForgetUnsent(transaction);
            return false;
        }

        LoginPolicyStore.Keep(transaction, unsent with { Count = 0, Due = now + Unsent.NextNotice });
        return Raise(transaction, "suppressed", $"{Scene.Boot}/{now.Ticks}", id => LoginTexts.Unsent((Scene.Site, Scene.Program), unsent, Local(unsent.First), Local(unsent.Last), id), now);
    }

    /// <summary>Of the few messages that are sent even when nothing is left.</summary>
    private bool Raise(SqliteTransaction transaction, string kind, string about, Func<string, string> text, Instant now)
    {
        foreach (var route in Scene.Routes)
        {
            LoginPolicyStore.Keep(transaction, route, AlertBudget.TakeAnyway(LoginPolicyStore.Buckets(transaction, route), route.Channel, now));
        }

        Raise(transaction, kind, about, text, Scene.Routes);
        return true;
    }

    private void Raise(SqliteTransaction transaction, string kind, string about, Func<string, string> text, ImmutableArray<Route> routes)
    {
        var subject = $"{kind}/{about}";
        var id = AlertId.From($"{Scene.Site}/{Scene.Place}/{subject}");
        Outbox.Add(transaction, new Alert(id, kind, Severity.Normal, text(id), time.GetUtcNow(), subject), routes);
    }

    private DateTimeOffset Local(DateTimeOffset? at) => TimeZoneInfo.ConvertTime(at ?? time.GetUtcNow(), time.LocalTimeZone);
}
