using System.Collections.Immutable;
using Microsoft.Data.Sqlite;

namespace Common.Logins;

/// <param name="Text">Without its line end.</param>
/// <param name="Source">Where it stands, the same whenever it is read again: makes the record of a login unique.</param>
/// <param name="Backlog">It was there before the agent first looked.</param>
internal sealed record LogEntry(AuthLogLine Line, string Text, string Source, bool Backlog);

/// <summary>What was read, and not yet gone past: <see cref="ILogSource.Save"/> in the transaction that keeps it, then <see cref="ILogSource.Passed"/>.</summary>
/// <param name="Moved">There is a new position to save, though perhaps nothing of sshd's.</param>
/// <param name="More">There was more than one batch holds.</param>
/// <param name="Gap">Something was lost on the way: in words, else null.</param>
internal sealed record LogBatch(ImmutableArray<LogEntry> Entries, bool Moved, bool More, string? Gap, object Position);

/// <summary>Port to where sshd's lines come from: a file, or the journal.</summary>
internal interface ILogSource : IAsyncDisposable
{
    /// <summary>Null while lines can be read as they come; else why not. Then nobody may say how many sessions there are.</summary>
    string? Trouble { get; }

    /// <summary>Starts what has to be started. <paramref name="wake"/> is called when there is something to read; safe on any thread.</summary>
    void Start(Action wake);

    LogBatch Read();

    void Save(SqliteTransaction transaction, LogBatch batch);

    /// <summary>The batch is on disk: go on behind it.</summary>
    void Passed(LogBatch batch);
}
