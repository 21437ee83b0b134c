using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Globalization;
using Common.Journal;
using Common.Processes;
using Common.Time;
using Microsoft.Data.Sqlite;

namespace Common.Logins;

/// <summary>Where in the journal we are.</summary>
/// <param name="BacklogUntil">What is older was there before the agent first looked.</param>
internal sealed record JournalCursor(string? Cursor, DateTimeOffset BacklogUntil)
{
    public static JournalCursor? Load(Database database) => database.Read(c => c.Sql("SELECT cursor, backlog_until FROM journal_cursor")
        .List(r => new JournalCursor(r.GetString(0), DateTimeOffset.Parse(r.GetString(1), CultureInfo.InvariantCulture)))).FirstOrDefault();

    public void Save(SqliteTransaction transaction) => transaction.Sql(
        "INSERT INTO journal_cursor(one, cursor, backlog_until) VALUES(1, @c, @b) ON CONFLICT(one) DO UPDATE SET cursor = @c",
        ("@c", Cursor), ("@b", BacklogUntil.ToString("O", CultureInfo.InvariantCulture))).Run();
}

/// <summary>
/// Follows sshd in systemd's journal by <c>journalctl --follow --output=json --after-cursor</c>, a supervised child. The cursor is
/// saved in the transaction that keeps what was read.
/// </summary>
/// <param name="ownUid">See <see cref="JournalEntry.Parse"/>.</param>
internal sealed class JournalTail(
    IProcessLauncher launcher, JournalCursor? saved, uint? ownUid, TimeProvider time, Func<double> jitter, string program = "journalctl") : ILogSource
{
    private const int BatchLength = 500;
    private static readonly Backoff Restarts = new(TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(30));
    private static readonly TimeSpan StableAfter = TimeSpan.FromMinutes(1);

    /// <summary>Written by the child's reader, read by the loop.</summary>
    private readonly ConcurrentQueue<string> _lines = new();
    private readonly DateTimeOffset _backlogUntil = saved?.BacklogUntil ?? time.GetUtcNow();

    /// <summary>The loop's own: the last entry taken from the queue.</summary>
    private string? _cursor = saved?.Cursor;
    private IChildProcess? _child;
    private Instant _startAt = new(long.MinValue);
    private Instant _startedAt;
    private int _failures;
    private string? _gap;

    /// <summary>The queue has given these lines away: they are given again until they are kept.</summary>
    private LogBatch? _unpassed;
    private volatile string? _trouble = "not started yet";
    private volatile string? _lastError;
    private Action _wake = () => { };

    public string? Trouble => _trouble;

    public void Start(Action wake)
    {
        _wake = wake;
        Supervise();
    }

    public LogBatch Read()
    {
        _unpassed ??= Take();
        Supervise();
        return _unpassed;
    }

    private LogBatch Take()
    {
        var entries = ImmutableArray.CreateBuilder<LogEntry>();
        var gap = TakeGap();
        var count = 0;
        for (; count < BatchLength && _lines.TryDequeue(out var json); count++)
        {
            if (JournalEntry.Parse(json, ownUid) is not { } entry)
            {
                gap = "an entry of the journal could not be read";
                continue;
            }

            _cursor = entry.Cursor;
            if (entry.Line is { } line)
            {
                entries.Add(new LogEntry(line, json, entry.Cursor, line.At < _backlogUntil));
            }
        }

        return new LogBatch(entries.ToImmutable(), count > 0 || gap is not null, !_lines.IsEmpty, gap, _cursor ?? "");
    }

    public void Save(SqliteTransaction transaction, LogBatch batch)
    {
        if (batch.Position is string { Length: > 0 } cursor)
        {
            new JournalCursor(cursor, _backlogUntil).Save(transaction);
        }
    }

    public void Passed(LogBatch batch) => _unpassed = null;

    public async ValueTask DisposeAsync()
    {
        if (_child is { } child)
        {
            await child.StopAsync();
            await child.DisposeAsync();
        }
    }

    private string? TakeGap()
    {
        var gap = _gap;
        _gap = null;
        return gap;
    }

    /// <summary>Starts journalctl, and starts it again when it has ended, at the cursor that was reached.</summary>
    private void Supervise()
    {
        if (_child is { Exited.IsCompleted: true })
        {
            Ended();
        }

        // What is still queued was read by the child that ended: the next begins behind it.
        if (_child is null && _lines.IsEmpty && Instant.Now(time) >= _startAt)
        {
            Launch();
        }
    }

    private void Launch()
    {
        try
        {
            _lastError = null;
            _trouble = null;
            _startedAt = Instant.Now(time);
            _child = launcher.Start(new ProcessSpec(program, [.. Arguments(_cursor)]), OnLine);
            _ = WakeAtExitAsync(_child);
        }
        catch (ProcessStartException e)
        {
            _trouble = e.Message;
            Postpone();
        }
    }

    private static IEnumerable<string> Arguments(string? cursor) =>
    [
        "--follow", "--no-tail", "--output=json", "--output-fields=MESSAGE,_PID,_UID,_EXE,_BOOT_ID,SYSLOG_IDENTIFIER",
        "--identifier=sshd", "--identifier=sshd-session", "--identifier=sshd-auth", $"--identifier={HookCry.Name}",
        cursor is null ? "--boot" : $"--after-cursor={cursor}",
    ];

    private async Task WakeAtExitAsync(IChildProcess child)
    {
        await child.Exited;
        _wake();
    }

    private void Ended()
    {
        _trouble = $"journalctl ended: {_lastError ?? "without a word"}";
        if (_cursor is not null && _lastError?.Contains("seek to cursor", StringComparison.Ordinal) == true)
        {
            // The journal that held it is gone. What is read twice from here is recorded once.
            (_cursor, _gap) = (null, "the journal was cut off behind what had been read");
        }

        _failures = Instant.Now(time) - _startedAt >= StableAfter ? 0 : _failures;
        _child = null;
        Postpone();
    }

    private void Postpone() => _startAt = Instant.Now(time) + Restarts.Delay(_failures++, jitter());

    private void OnLine(ProcessStream stream, string line)
    {
        if (stream == ProcessStream.Output)
        {
            _lines.Enqueue(line);
            _wake();
            return;
        }

        _lastError = line;
        // It goes on running, and shows nothing, when it may not read the system's journal.
        if (line.Contains("not seeing messages", StringComparison.Ordinal) || line.Contains("No journal files", StringComparison.Ordinal))
        {
            _trouble = "the system's journal may not be read: the agent's user must be in group systemd-journal";
        }
    }
}
