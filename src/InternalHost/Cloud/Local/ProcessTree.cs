using System.Globalization;
using System.Net;
using Common.Kernel;
using Common.Processes;
using Common.Time;

namespace InternalHost.Cloud.Local;

/// <summary>
/// Processes below one of ours that the launcher does not know: sshd's sessions lead sessions of their own (setsid), so that ending the
/// listener leaves them all alive.
/// </summary>
internal static class ProcessTree
{
    private const int SigStop = 19;
    private static readonly TimeSpan LongestDeath = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan BetweenLooks = TimeSpan.FromMilliseconds(5);

    /// <summary>
    /// sshd processes that hold a connection to one of these addresses, whoever started them: sessions whose listener was killed, or the
    /// whole program. Only to be asked about addresses that are ours.
    /// </summary>
    public static HashSet<int> SessionsOn(IReadOnlyCollection<IPEndPoint> endPoints)
    {
        var sockets = (new KernelConnections().Read() ?? [])
            .Where(c => !c.Listening && c.Inode > 0 && endPoints.Contains(c.Local))
            .Select(c => $"socket:[{c.Inode}]")
            .ToHashSet(StringComparer.Ordinal);
        return sockets.Count == 0
            ? []
            : [.. Pids().Where(p => ReadProc(p, "comm")?.StartsWith("sshd", StringComparison.Ordinal) == true && Holds(p, sockets))];
    }

    /// <summary>All descendants, and what they left to init but marked with <paramref name="mark"/> (NAME=value) in the environment.</summary>
    public static HashSet<int> Below(IEnumerable<int> roots, string mark)
    {
        var children = Running().ToLookup(p => p.Parent, p => p.Pid);
        var found = new HashSet<int>();
        var open = new Stack<int>(Marked(mark).Where(found.Add).Concat(roots));
        while (open.TryPop(out var pid))
        {
            foreach (var child in children[pid].Where(found.Add))
            {
                open.Push(child);
            }
        }

        return found;
    }

    /// <summary>
    /// Kills every session: what is below <paramref name="listener"/>, what carries the mark, and what holds a connection to the addresses.
    /// The listener is held still (SIGSTOP) so that it starts nothing new, and left so for its owner to end.
    /// </summary>
    public static async Task KillSessionsAsync(int? listener, string mark, IReadOnlyCollection<IPEndPoint> endPoints, TimeProvider time)
    {
        int[] roots = listener is { } pid ? [pid] : [];
        foreach (var root in roots)
        {
            _ = LibC.Kill(root, SigStop);
        }

        // What is killed may have forked in the meantime, and takes a moment to die: looked for again until nothing is there.
        var deadline = Instant.Now(time) + LongestDeath;
        while (Sessions(roots, mark, endPoints) is { Count: > 0 } alive && Instant.Now(time) < deadline)
        {
            foreach (var session in alive)
            {
                Kill(session);
            }

            await Task.Delay(BetweenLooks, time);
        }
    }

    public static void Kill(int pid) => _ = LibC.Kill(pid, LibC.SigKill);

    private static HashSet<int> Sessions(int[] roots, string mark, IReadOnlyCollection<IPEndPoint> endPoints)
    {
        var holders = SessionsOn(endPoints);
        holders.ExceptWith(roots);
        var all = Below(roots.Concat(holders), mark);
        all.UnionWith(holders);
        return all;
    }

    private static IEnumerable<(int Pid, int Parent)> Running()
    {
        foreach (var pid in Pids())
        {
            // pid (comm) state ppid ...; comm may hold anything, so fields are counted from its last parenthesis. Dead ones are skipped.
            if (ReadProc(pid, "stat") is { } stat && stat[(stat.LastIndexOf(')') + 2)..].Split(' ') is [not "Z" and not "X", var parent, ..])
            {
                yield return (pid, int.Parse(parent, CultureInfo.InvariantCulture));
            }
        }
    }

    private static IEnumerable<int> Marked(string mark) =>
        Pids().Where(p => ReadProc(p, "environ") is { } environment && environment.Split('\0').Contains(mark, StringComparer.Ordinal)
            && p != Environment.ProcessId);

    private static IEnumerable<int> Pids() =>
        Directory.EnumerateDirectories("/proc").Select(Path.GetFileName)
            .Select(n => int.TryParse(n, NumberStyles.None, CultureInfo.InvariantCulture, out var pid) ? pid : 0).Where(p => p > 1);

    private static bool Holds(int pid, HashSet<string> sockets)
    {
        try
        {
            return Directory.EnumerateFiles($"/proc/{pid}/fd").Any(f => new FileInfo(f).LinkTarget is { } target && sockets.Contains(target));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    private static string? ReadProc(int pid, string file)
    {
        try
        {
            return File.ReadAllText($"/proc/{pid}/{file}");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Gone, or not ours.
            return null;
        }
    }
}
