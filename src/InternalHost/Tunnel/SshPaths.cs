namespace InternalHost.Tunnel;

/// <summary>The files of one run; none is ever used by a second one. A stale control socket silently disables multiplexing.</summary>
internal sealed record SshPaths(string Control, string Handover, string KnownHosts, string DirectPrefix)
{
    public static SshPaths Of(string folder, string salt, int run)
    {
        var name = Path.Combine(folder, $"{salt}{run}");
        return new($"{name}.s", $"{name}.h", Path.Combine(folder, "known_hosts"), name);
    }

    /// <summary>Where connections become channels to the bastion's own <paramref name="port"/>.</summary>
    public string Direct(int port) => $"{DirectPrefix}-{port}.d";

    public void Delete(IEnumerable<int> directPorts)
    {
        foreach (var path in (IEnumerable<string>)[Control, Handover, .. directPorts.Select(Direct)])
        {
            File.Delete(path);
        }
    }

    /// <summary>What a predecessor left behind when it was killed.</summary>
    public static void DeleteOld(string folder)
    {
        foreach (var path in Directory.EnumerateFiles(folder).Where(path => Path.GetExtension(path) is ".s" or ".h" or ".d" or ".l"))
        {
            File.Delete(path);
        }
    }
}
