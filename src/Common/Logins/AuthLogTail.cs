using System.Collections.Immutable;
using Common.Time;
using Microsoft.Data.Sqlite;
using Microsoft.Win32.SafeHandles;

namespace Common.Logins;

/// <summary>
/// Follows sshd's log file over rotation (by renaming or by copying and truncating), truncation and our own death. A line is
/// read once: the position is saved in the transaction that keeps what was read. Several files are followed while a writer may
/// still hold the old one.
/// </summary>
internal sealed class AuthLogTail(string path, ImmutableArray<LogPosition> saved, bool isPrivate, TimeProvider time) : ILogSource
{
    /// <summary>rsyslog and sshd keep writing to a renamed file until they are told; a day-old writer is nobody's.</summary>
    private static readonly TimeSpan KeepRotated = TimeSpan.FromMinutes(10);

    /// <summary>Oldest first; the last is the one that has the name. Touched by the reading loop only.</summary>
    private readonly List<FollowedFile> _files = [];
    private long _generation = saved.Select(p => p.Generation).DefaultIfEmpty(0).Max();
    private string? _gap;
    private bool _resumed;
    private volatile string? _trouble = "not read yet";

    public string? Trouble => _trouble;

    public void Start(Action wake)
    {
        // A file does not call: it is looked at by the loop, ten times a second.
    }

    public LogBatch Read()
    {
        Resume();
        FollowName();
        Restarted();
        Retire();
        var now = time.GetLocalNow();
        var chunks = _files.Select(f => (File: f, Chunk: f.Read())).ToList();
        var entries = chunks.SelectMany(c => c.Chunk.Lines.Select(l => Entry(c.File.Position, l, now))).OfType<LogEntry>();
        var moved = chunks.Any(c => !c.Chunk.Next.Equals(c.File.Position)) || _gap is not null;
        return new LogBatch([.. entries], moved, chunks.Any(c => c.Chunk.More), _gap, chunks.ConvertAll(c => (c.File, c.Chunk.Next)));
    }

    public void Save(SqliteTransaction transaction, LogBatch batch) => LogPosition.Save(transaction, Positions(batch).Select(p => p.Next));

    public void Passed(LogBatch batch)
    {
        _gap = null;
        foreach (var (file, next) in Positions(batch))
        {
            file.PassTo(next);
        }
    }

    public ValueTask DisposeAsync()
    {
        _files.ForEach(f => f.Dispose());
        _files.Clear();
        return ValueTask.CompletedTask;
    }

    private static List<(FollowedFile File, LogPosition Next)> Positions(LogBatch batch) => (List<(FollowedFile, LogPosition)>)batch.Position;

    private LogEntry? Entry(LogPosition position, (long Offset, string Text) line, DateTimeOffset now) =>
        AuthLogLine.Parse(line.Text, new LineTrust(isPrivate, now)) is { } parsed
            ? new LogEntry(parsed, line.Text, $"{position.Generation}:{line.Offset}", line.Offset < position.BacklogEnd)
            : null;

    /// <summary>Finds the files that were being read when we ended, by whatever name they have now.</summary>
    private void Resume()
    {
        if (_resumed)
        {
            return;
        }

        _resumed = true;
        foreach (var position in saved)
        {
            if (Find(position) is { } file)
            {
                _files.Add(file);
            }
            else if (position.Generation == _generation)
            {
                // An older one had been read to its end when a newer one took its name.
                _gap = $"a part of {Path.GetFileName(path)} was rotated away unread";
            }
        }
    }

    /// <summary>The file with the log's name is the current one, whichever that is.</summary>
    private void FollowName()
    {
        var identity = FileIdentity.Of(path);
        var current = _files.Find(f => f.Position.File == identity);
        if (identity is not null && current is null && Open(path) is { } handle)
        {
            // The name may have moved on between the two looks: what was opened counts.
            var opened = FileIdentity.Of(handle)!.Value;
            var backlog = saved.IsEmpty && _files.Count == 0 ? RandomAccess.GetLength(handle) : 0;
            current = new FollowedFile(handle, new LogPosition(opened, ++_generation, 0, [], backlog));
            _files.Add(current);
        }

        if (current is not null)
        {
            _files.ForEach(f => f.RetiredAt = f == current ? null : f.RetiredAt ?? Instant.Now(time));
        }

        _trouble = _files.Count > 0 ? null : identity is null ? $"{path} is not there" : $"{path} may not be read";
    }

    private void Restarted()
    {
        foreach (var file in _files.Where(f => f.WasRewritten()).ToList())
        {
            // Copied, then truncated: what was not read yet is in the copy.
            if (Copy(file.Position) is { } copy)
            {
                copy.RetiredAt = Instant.Now(time);
                _files.Insert(0, copy);
            }

            file.Restart(++_generation);
        }
    }

    private void Retire()
    {
        var now = Instant.Now(time);
        foreach (var file in _files.Where(f => f.RetiredAt is { } at && now - at >= KeepRotated && f.AtEnd).ToList())
        {
            _files.Remove(file);
            file.Dispose();
        }
    }

    private FollowedFile? Find(LogPosition position)
    {
        var same = Siblings().Prepend(path).FirstOrDefault(p => FileIdentity.Of(p) == position.File);
        if (same is not null && Open(same) is { } handle)
        {
            return new FollowedFile(handle, position);   // rewritten or not is looked at next
        }

        return Copy(position);
    }

    private FollowedFile? Copy(LogPosition position)
    {
        foreach (var sibling in position.Tail.IsEmpty ? [] : Siblings())
        {
            if (Open(sibling) is not { } handle)
            {
                continue;
            }

            if (FileIdentity.Of(handle) is { } identity && _files.TrueForAll(f => f.Position.File != identity) && FollowedFile.EndsWith(handle, position))
            {
                return new FollowedFile(handle, position with { File = identity });
            }

            handle.Dispose();
        }

        return null;
    }

    /// <summary>auth.log.1, auth.log-20261121: what logrotate makes of auth.log, newest first.</summary>
    private IEnumerable<string> Siblings()
    {
        var folder = Path.GetDirectoryName(Path.GetFullPath(path))!;
        var name = Path.GetFileName(path);
        return Directory.Exists(folder)
            ? Directory.EnumerateFiles(folder, name + "*").Where(f => f.Length > folder.Length + 1 + name.Length && f[folder.Length + 1 + name.Length] is '.' or '-')
                .OrderByDescending(File.GetLastWriteTimeUtc)
            : [];
    }

    private static SafeFileHandle? Open(string file)
    {
        try
        {
            return File.OpenHandle(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;   // gone again, or not ours to read: Trouble says so
        }
    }
}
