using System.Globalization;
using Common.Processes;

namespace Bastion.People;

/// <summary>Processes of a uid, by /proc.</summary>
internal static class Processes
{
    public static IEnumerable<int> Of(int uid)
    {
        foreach (var folder in Directory.EnumerateDirectories("/proc"))
        {
            if (int.TryParse(Path.GetFileName(folder), NumberStyles.None, CultureInfo.InvariantCulture, out var pid) && RealUid(folder) == uid)
            {
                yield return pid;
            }
        }
    }

    public static void Kill(int pid) => _ = LibC.Kill(pid, LibC.SigKill);

    /// <summary><c>Uid: real effective saved file</c>; null: it has ended.</summary>
    private static int? RealUid(string folder)
    {
        try
        {
            var line = File.ReadLines(Path.Combine(folder, "status")).FirstOrDefault(l => l.StartsWith("Uid:", StringComparison.Ordinal));
            return line is not null && int.TryParse(line.Split('\t', StringSplitOptions.RemoveEmptyEntries)[1], NumberStyles.None, CultureInfo.InvariantCulture, out var uid) ? uid : null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
