namespace InternalHost.Tunnel;

/// <summary>
/// Where the tunnel's sockets live: below the runtime directory, which the operator's group may enter, in a folder that only we can.
/// Whoever connects to one of these sockets is past every check.
/// </summary>
internal static class TunnelFolder
{
    private const UnixFileMode OnlyUs = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;

    public static string In(string runtimeDirectory) => Path.Combine(runtimeDirectory, "t");

    public static string Prepare(string runtimeDirectory)
    {
        var folder = In(runtimeDirectory);
        Directory.CreateDirectory(folder, OnlyUs);
        File.SetUnixFileMode(folder, OnlyUs);
        return folder;
    }
}
