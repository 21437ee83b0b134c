using System.Collections.Concurrent;
using Common.Logins.Policy;
using Common.Alerts;
using Common.Journal;
using Common.Logins;
using Common.Logins.Spool;
using Common.Time;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Logging;

namespace Common.Logins.Recording;

/// <summary>
/// Keeps what the two sources say: record, alert and the source's position in one transaction, so that a kill at any moment neither loses nor
/// doubles a login.
/// </summary>
/// <param name="spool">Null: no PAM hook here (a private set-up).</param>
internal sealed partial class LoginIntake(
    ILogSource log, HookSpool? spool, LoginRecorder recorder, LoginPolicy policy, GapAlert gaps, Database database, Outbox outbox, string boot, TimeProvider time, ILogger<LoginIntake> logger)
    : IAsyncDisposable
{
    private static readonly TimeSpan LookForMissingEvery = TimeSpan.FromSeconds(1);

    /// <summary>The loop's own.</summary>
    private readonly LogSightings _logged = new();
    private Instant _lookForMissingAt = new(long.MinValue);

    /// <summary>What the bastion said of logins that came through the tunnel.</summary>
    private readonly ConcurrentQueue<(long Login, BastionWord Word)> _words = new();

    /// <summary>Why logins cannot be seen now; null: they can. The log decides: without the spool logins are still seen, and each is critical.</summary>
    public string? Trouble => log.Trouble;

    public void Start(Action wake)
    {
        log.Start(wake);
        spool?.Start(wake);
    }

    /// <summary>Reads both sources to their ends. The hook's first: it knows more.</summary>
    /// <exception cref="SqliteException">Cannot be written down; nothing was passed, and it is to be tried again.</exception>
    public void Pass(CancellationToken ct)
    {
        while (!ct.IsCancellationRequested && spool?.Read() is { IsEmpty: false } batch)
        {
            Keep(batch);
        }

        while (!ct.IsCancellationRequested)
        {
            var batch = log.Read();
            Keep(batch);
            if (!batch.More)
            {
                break;
            }
        }

        while (_words.TryDequeue(out var word))
        {
            Write([], transaction => recorder.Hear(transaction, word.Login, word.Word) is { } login ? [login] : []);
        }

        TellMissing();
        TellDue();
    }

    /// <summary>Taken with the next pass; one that is lost on the way is asked for again. Safe on any thread.</summary>
    public void Hear(long login, BastionWord word) => _words.Enqueue((login, word));

    public async ValueTask DisposeAsync()
    {
        spool?.Dispose();
        await log.DisposeAsync();
    }

    private void Keep(SpoolBatch batch)
    {
        var sightings = batch.Events.Select(e => e.Sighting).ToList();
        Write(sightings, transaction =>
        {
            var recorded = sightings.Select(s => recorder.Record(transaction, s)).OfType<RecordedLogin>().ToList();
            AddGap(transaction, batch.Gap);
            return recorded;
        });
        spool!.Passed(batch);
    }

    private void Keep(LogBatch batch)
    {
        if (!batch.Moved)
        {
            log.Passed(batch);
            return;
        }

        var entries = batch.Entries.Select(e => (Entry: e, Sighting: _logged.Of(e))).ToList();
        Write([.. entries.Select(e => e.Sighting).OfType<LoginSighting>()], transaction =>
        {
            var recorded = new List<RecordedLogin>();
            foreach (var (entry, sighting) in entries)
            {
                policy.Note(entry);
                if (sighting is not null && recorder.Record(transaction, sighting) is { } one)
                {
                    recorded.Add(one);
                }
            }

            AddGap(transaction, batch.Gap);
            AddGap(transaction, Cries(transaction, batch));
            log.Save(transaction, batch);
            return recorded;
        });
        log.Passed(batch);
    }

    /// <summary>In words; null: the hook could write all that it saw.</summary>
    private string? Cries(SqliteTransaction transaction, LogBatch batch)
    {
        var cries = batch.Entries.Where(e => e is { Backlog: false, Line.Message: SshdMessage.NotSpooled }).ToList();
        foreach (var cry in cries)
        {
            LoginSightings.HookSpoke(transaction, cry.Line.Boot ?? boot, ((SshdMessage.NotSpooled)cry.Line.Message).Process);
        }

        return cries.Count == 0 ? null : $"{cries.Count} {(cries.Count == 1 ? "event" : "events")} may be missing: the hook could not write (is the disk full?)";
    }

    private void Write(List<LoginSighting> sightings, Func<SqliteTransaction, List<RecordedLogin>> record)
    {
        try
        {
            var recorded = database.Write(transaction =>
            {
                policy.Begin(transaction);
                policy.TellDue(transaction);
                var logins = record(transaction);
                policy.End(transaction);
                return logins;
            });
            policy.Committed();
            recorded.ForEach(Log);
            outbox.Wake();
        }
        catch (SqliteException)
        {
            // The owner is told all the same; what is kept later under the same ids is not told twice.
            policy.Failed();
            recorder.WithoutRecord(sightings).ForEach(alert => outbox.Raise(alert.Alert, alert.Routes));
            throw;
        }
    }

    /// <summary>Digests and summaries come due without anything to read.</summary>
    private void TellDue()
    {
        if (Instant.Now(time) >= policy.Due)
        {
            Write([], _ => []);
        }
    }

    private void AddGap(SqliteTransaction transaction, string? gap)
    {
        if (gap is not null)
        {
            gaps.Add(transaction, gap);
        }
    }

    private void TellMissing()
    {
        if (spool is null || Instant.Now(time) < _lookForMissingAt)
        {
            return;
        }

        _lookForMissingAt = Instant.Now(time) + LookForMissingEvery;
        var missing = database.Write(transaction =>
        {
            if (spool.Trouble is { } trouble)
            {
                gaps.Add(transaction, $"the login hook's spool cannot be read: {trouble}");
            }

            return recorder.WithoutHook(transaction, spool.IsCaughtUp);
        });
        foreach (var alert in missing)
        {
            Missing(logger, alert.Id);
        }

        if (missing.Count > 0 || spool.Trouble is not null)
        {
            outbox.Wake();
        }
    }

    private void Log(RecordedLogin login)
    {
        var verdict = login.Record.Verdict;
        Recorded(logger, login.Record.AlertId, login.Record.Login.Sources, verdict.Role, verdict.Severity, verdict.Why);
    }

    [LoggerMessage(101, LogLevel.Information, "login #{Id} by {Source}: {Role}, {Severity}: {Why}")]
    private static partial void Recorded(ILogger logger, string id, LoginSources source, LoginRole role, Severity severity, string why);

    [LoggerMessage(104, LogLevel.Critical, "login without hook #{Id}: sshd let somebody in and PAM's hook did not see it")]
    private static partial void Missing(ILogger logger, string id);
}
