using System.Collections.Immutable;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Common.Hosting;

namespace Bastion.Host;

/// <summary>
/// Carries a plan out as one transaction: the way back is on disk and armed before the first change, and stands until
/// <see cref="Commit"/>. Whatever happens in between, to us, our session or the machine's network, ends in the state before.
/// </summary>
/// <param name="root">Empty, or the folder that is installed into.</param>
internal sealed class Apply(Shell shell, string root, string reload, TimeSpan rollbackAfter)
{
    /// <summary>Ours and root's alone: the agent's own folder is not a place for what root will run.</summary>
    public const string Folder = "/var/backups/bastion";

    /// <summary>Of this transaction alone: the timer of an earlier one, still running, must find nothing to take back.</summary>
    private readonly string _id = Convert.ToHexString(RandomNumberGenerator.GetBytes(6));

    private string Place => Path.Combine(root + Folder, _id);

    private string Undo => Path.Combine(Place, UndoScript.File);

    /// <summary>An installation that was killed and has not been taken back yet: by its timer, by the next start, or by this.</summary>
    /// <returns>There was one.</returns>
    public async Task<bool> RecoverAsync(CancellationToken ct)
    {
        if (!Directory.Exists(root + Folder))
        {
            return false;
        }

        var open = Directory.GetDirectories(root + Folder).Where(IsOpen).ToList();
        foreach (var place in open)
        {
            await TakeBackAsync(place, ct);
        }

        Directory.Delete(root + Folder, recursive: true);
        return open.Count > 0;
    }

    /// <summary>Everything that can be taken back.</summary>
    /// <exception cref="HostException">It failed, and was taken back.</exception>
    public async Task BeginAsync(ImmutableArray<Change> plan, CancellationToken ct)
    {
        await PrepareAsync(plan, ct);
        try
        {
            foreach (var change in plan.Where(c => !IsFinal(c)))
            {
                await PerformAsync(change, ct);
            }
        }
        catch (Exception e) when (e is HostException or IOException or UnauthorizedAccessException)
        {
            await RollBackAsync(CancellationToken.None);
            throw new HostException($"nothing was changed: {e.Message}");
        }
    }

    /// <summary>What cannot be taken back, once the rest stands.</summary>
    public async Task FinishAsync(ImmutableArray<Change> plan, CancellationToken ct)
    {
        foreach (var change in plan.Where(IsFinal))
        {
            await PerformAsync(change, ct);
        }

        Directory.Delete(root + Folder, recursive: true);
    }

    /// <summary>From here on it stays. False: the way back was quicker.</summary>
    public bool Commit()
    {
        try
        {
            using var decided = new FileStream(Path.Combine(Place, UndoScript.Decided), FileMode.CreateNew, FileAccess.Write);
            decided.Write(Encoding.ASCII.GetBytes(UndoScript.Committed));
            decided.Flush(flushToDisk: true);
            return true;
        }
        catch (IOException)
        {
            return false;
        }
    }

    /// <exception cref="HostException">It did not come to its end.</exception>
    public async Task RollBackAsync(CancellationToken ct)
    {
        await TakeBackAsync(Place, ct);
        Directory.Delete(root + Folder, recursive: true);
    }

    private async Task TakeBackAsync(string place, CancellationToken ct)
    {
        var script = Path.Combine(place, UndoScript.File);
        var result = await shell.RunAsync("sh", [script], ct);
        if (!File.Exists(Path.Combine(place, UndoScript.Done)))
        {
            throw new HostException($"the way back did not come to its end ({Shell.Words(result)}). Next step, as root: sh {script}");
        }
    }

    /// <summary>Begun, and neither committed nor taken back. A folder without its script was left before anything was changed.</summary>
    private static bool IsOpen(string place)
    {
        var decided = Path.Combine(place, UndoScript.Decided);
        return File.Exists(Path.Combine(place, UndoScript.File)) && !File.Exists(Path.Combine(place, UndoScript.Done))
            && !(File.Exists(decided) && File.ReadAllText(decided).Trim() == UndoScript.Committed);
    }

    private static bool IsFinal(Change change) => change is Change.RemoveUser or Change.RemoveGroup or Change.RemoveDirectory;

    private async Task PrepareAsync(ImmutableArray<Change> plan, CancellationToken ct)
    {
        var files = Path.Combine(Place, "files");
        Directory.CreateDirectory(files);
        File.SetUnixFileMode(root + Folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        for (var place = 0; place < plan.Length; place++)
        {
            if (plan[place] is Change.PutFile { Before: not null } put)
            {
                await shell.DoAsync("cp", ["-p", root + put.Path, Path.Combine(files, place.ToString(CultureInfo.InvariantCulture))], ct);
            }
        }

        File.WriteAllText(Undo, UndoScript.Write(plan, Place, root, reload));
        await shell.DoAsync("sync", ["-f", Place], ct);
        await ArmAsync(ct);
    }

    /// <summary>A timer of systemd's where it runs; else a process in a session of its own: both outlive us and our terminal.</summary>
    private async Task ArmAsync(CancellationToken ct)
    {
        var seconds = Math.Ceiling(rollbackAfter.TotalSeconds).ToString(CultureInfo.InvariantCulture);
        if (root.Length == 0 && Directory.Exists("/run/systemd/system"))
        {
            await shell.DoAsync("systemd-run", ["--quiet", "--collect", $"--on-active={seconds}s", "--timer-property=AccuracySec=1s", "sh", Undo], ct);
            return;
        }

        await shell.DoAsync("setsid", ["--fork", "sh", "-c", $"exec </dev/null >/dev/null 2>&1; sleep {seconds}; exec sh {UndoScript.Quote(Undo)}"], ct);
    }

    private async Task PerformAsync(Change change, CancellationToken ct)
    {
        switch (change)
        {
            case Change.MakeGroup group:
                await shell.DoAsync("groupadd", [.. Prefix, "--system", group.Name], ct);
                break;
            case Change.MakeUser user:
                await shell.DoAsync("useradd", [.. Prefix, "--system", "--no-create-home", "--home-dir", user.Home, "--shell", user.Shell, "--gid", user.Group, user.Name], ct);
                break;
            case Change.MakeDirectory folder:
                await MakeAsync(folder, ct);
                break;
            case Change.PutFile file:
                Put(file);
                break;
            case Change.Run run:
                await shell.DoAsync(run.Command[0], run.Command.Skip(1), ct);
                break;
            case Change.RemoveUser user:
                await shell.DoAsync("userdel", ["--force", .. Prefix, user.Name], ct);
                break;
            case Change.RemoveGroup group when (await shell.RunAsync("getent", ["group", group.Name], ct)).Ok || root.Length > 0:
                // userdel takes a group of the account's own name with it.
                await shell.RunAsync("groupdel", [.. Prefix, group.Name], ct);
                break;
            case Change.RemoveDirectory folder when Directory.Exists(root + folder.Path):
                Directory.Delete(root + folder.Path, recursive: true);
                break;
        }
    }

    private IEnumerable<string> Prefix => root.Length == 0 ? [] : ["--prefix", root];

    private async Task MakeAsync(Change.MakeDirectory folder, CancellationToken ct)
    {
        Directory.CreateDirectory(root + folder.Path);
        var owner = root.Length == 0 ? $"{folder.Owner}:{folder.Group}" : $"{await IdAsync("passwd", folder.Owner, ct)}:{await IdAsync("group", folder.Group, ct)}";
        await shell.DoAsync("chown", [owner, root + folder.Path], ct);
        File.SetUnixFileMode(root + folder.Path, (UnixFileMode)folder.Mode);
    }

    /// <summary>In another root the names mean that root's numbers.</summary>
    private async Task<string> IdAsync(string database, string name, CancellationToken ct)
    {
        var lines = await File.ReadAllLinesAsync($"{root}/etc/{database}", ct);
        return lines.Select(l => l.Split(':')).FirstOrDefault(f => f.Length > 2 && f[0] == name)?[2] ?? "0";
    }

    private void Put(Change.PutFile file)
    {
        var path = root + file.Path;
        if (file.After is null)
        {
            File.Delete(path);
            var folder = Path.GetDirectoryName(path)!;
            if (folder.EndsWith(".d", StringComparison.Ordinal) && folder.Contains("/systemd/", StringComparison.Ordinal) && !Directory.EnumerateFileSystemEntries(folder).Any())
            {
                Directory.Delete(folder);   // made for our file alone
            }

            return;
        }

        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        AtomicFile.Put(path, file.After, (UnixFileMode)file.Mode);
    }
}
