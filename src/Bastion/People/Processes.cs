using System.Globalization;
using System.Runtime.InteropServices;

namespace Bastion.People;

/// <summary>Processes of a uid, by /proc.</summary>
internal static partial class Processes
{
    private const int SigKill = 9;

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

    public static void Kill(int pid) => _ = Kill(pid, SigKill);

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

    [LibraryImport("libc", EntryPoint = "kill")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Kill(int pid, int signal);
}
