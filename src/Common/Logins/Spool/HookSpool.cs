using System.Collections.Immutable;
using System.Globalization;
using Common.Time;

namespace Common.Logins.Spool;

/// <summary>
/// The folder in which the PAM hook leaves its events: <c>tmp</c> (being written), <c>new</c> (complete), <c>dead</c> (what could not be read, kept
/// for a person to look at). A file is removed after its event has been kept, so that a kill at any moment loses none; it is known by its name, so
/// that none counts twice.
/// </summary>
/// <param name="mayOwn">Whose files are believed: root's, and our own in a private set-up.</param>
internal sealed class HookSpool(string folder, Func<uint, bool> mayOwn, TimeProvider time) : IDisposable
{
    public const string DefaultFolder = "/var/spool/bastion";

    /// <summary>Given up by the hook when the disk is full (infra/bastion/hook).</summary>
    public const string Reserve = ".reserve";
    public const int ReserveLength = 256 * 1024;

    private const int BatchLength = 500;
    private const int MostDead = 200;

    /// <summary>The hook writes for milliseconds. What lies in tmp for longer is of one that was killed, or of a power cut.</summary>
    private static readonly TimeSpan LeftBehind = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan ReserveEvery = TimeSpan.FromMinutes(1);

    private readonly string _new = Path.Combine(folder, "new");
    private readonly string _tmp = Path.Combine(folder, "tmp");
    private readonly string _dead = Path.Combine(folder, "dead");

    /// <summary>The reading loop's own: when a file in tmp was first seen.</summary>
    private readonly Dictionary<string, Instant> _unfinished = new(StringComparer.Ordinal);

    /// <summary>Kept, and yet still there, because the disk is read-only or broken: not read again.</summary>
    private readonly HashSet<string> _done = new(StringComparer.Ordinal);
    private Instant _reserveAt = new(long.MinValue);
    private FileSystemWatcher? _watcher;
    private volatile string? _trouble = "not read yet";

    /// <summary>Null: events can be read as they come.</summary>
    public string? Trouble => _trouble;

    /// <summary>The spool has been read to its end since the agent started: what is not in it, the hook has not written.</summary>
    public bool IsCaughtUp { get; private set; }

    /// <param name="wake">Called when there is something to read; safe on any thread. Without it the loop's own pace finds it.</param>
    public void Start(Action wake)
    {
        try
        {
            _watcher = new FileSystemWatcher(_new) { NotifyFilter = NotifyFilters.FileName };
            _watcher.Created += (_, _) => wake();
            _watcher.Renamed += (_, _) => wake();
            _watcher.EnableRaisingEvents = true;
        }
        catch (Exception e) when (e is IOException or ArgumentException or UnauthorizedAccessException)
        {
            _watcher?.Dispose();
            _watcher = null;   // not there, or no more watches: looked at by the loop
        }
    }

    public SpoolBatch Read()
    {
        try
        {
            var batch = ReadNew();
            _trouble = null;
            IsCaughtUp |= !batch.More;
            KeepReserve();
            return batch;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            _trouble = e is DirectoryNotFoundException ? $"{_new} is not there" : $"{_new} may not be read: this program's user must be in its group";
            return SpoolBatch.Empty;
        }
    }

    /// <summary>The batch is on disk elsewhere.</summary>
    public void Passed(SpoolBatch batch)
    {
        foreach (var path in batch.Read)
        {
            _done.Add(path);
            Remove(path);
        }

        foreach (var (path, _) in batch.Rejected)
        {
            _done.Add(path);
            Bury(path);
        }
    }

    public void Dispose() => _watcher?.Dispose();

    private SpoolBatch ReadNew()
    {
        var paths = Directory.EnumerateFileSystemEntries(_new).Where(p => Path.GetFileName(p)[0] != '.')
            .OrderBy(Ticks).ThenBy(p => p, StringComparer.Ordinal).ToList();
        var unfinished = Unfinished();
        _done.IntersectWith(paths.Concat(unfinished.Select(u => u.Path)));
        paths.RemoveAll(_done.Contains);
        var events = ImmutableArray.CreateBuilder<HookEvent>();
        var read = ImmutableArray.CreateBuilder<string>();
        var rejected = ImmutableArray.CreateBuilder<(string, string)>();
        foreach (var path in paths.Take(BatchLength))
        {
            var (bytes, problem) = SpoolFile.Read(path, mayOwn, HookEventFile.LongestHeader + HookEventFile.LongestEnvironment);
            var (one, fault) = bytes is null ? (null, problem) : HookEventFile.Read(Path.GetFileName(path), bytes);
            if (one is not null)
            {
                events.Add(one);
                read.Add(path);
            }
            else if (fault is not null)
            {
                rejected.Add((path, fault));
            }
        }

        rejected.AddRange(unfinished.Where(u => !_done.Contains(u.Path)));
        return new SpoolBatch(events.ToImmutable(), read.ToImmutable(), rejected.ToImmutable(), paths.Count > BatchLength);
    }

    /// <summary>By time within a boot, and that is all that order is for.</summary>
    private static ulong Ticks(string name) =>
        ulong.TryParse(name.AsSpan(name.LastIndexOf('.') + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var ticks) ? ticks : 0;

    private List<(string Path, string Why)> Unfinished()
    {
        var now = Instant.Now(time);
        var here = Directory.Exists(_tmp) ? Directory.GetFileSystemEntries(_tmp) : [];
        foreach (var gone in _unfinished.Keys.Except(here).ToList())
        {
            _unfinished.Remove(gone);
        }

        foreach (var path in here)
        {
            _unfinished.TryAdd(path, now);
        }

        return _unfinished.Where(u => now - u.Value >= LeftBehind).Select(u => (u.Key, "half written")).ToList();
    }

    private static void Remove(string path)
    {
        try
        {
            if (Directory.Exists(path) && File.ResolveLinkTarget(path, returnFinalTarget: false) is null)
            {
                Directory.Delete(path, recursive: true);
            }
            else
            {
                File.Delete(path);
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // It is known by its name: read again, it counts for nothing. A read-only disk shows elsewhere.
        }
    }

    private void Bury(string path)
    {
        _unfinished.Remove(path);
        try
        {
            Directory.CreateDirectory(_dead);
            foreach (var old in Directory.EnumerateFileSystemEntries(_dead).Order(StringComparer.Ordinal).SkipLast(MostDead - 1).ToList())
            {
                Remove(old);
            }

            File.Move(path, Path.Combine(_dead, Path.GetFileName(path)), overwrite: true);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            Remove(path);
        }
    }

    private void KeepReserve()
    {
        var (now, path) = (Instant.Now(time), Path.Combine(_new, Reserve));
        if (now < _reserveAt || File.Exists(path))
        {
            return;
        }

        _reserveAt = now + ReserveEvery;
        try
        {
            // Allocated, not only long: the blocks must be there when no others are.
            using var file = new FileStream(path, new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, PreallocationSize = ReserveLength });
            file.SetLength(ReserveLength);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            Remove(path);   // no room: again in a minute
        }
    }
}
