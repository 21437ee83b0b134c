using System.Runtime.InteropServices;

namespace Common.Kernel;

/// <summary>Who this process runs as.</summary>
public static partial class OwnUser
{
    public static uint Uid => Geteuid();

    [LibraryImport("libc", EntryPoint = "geteuid")]
    private static partial uint Geteuid();
}
