namespace InternalHost.Cloud.Local;

/// <summary>
/// /run/sshd, which an sshd of root wants when it starts and at each connection. Where it is absent (no sshd service runs) it is made,
/// and removed by the last of ours that used it: several private sshds, also of other processes, share it. Each leaves a file
/// with its pid in it while it runs; a folder that was there before is left as it was.
/// </summary>
internal sealed class PrivilegeSeparationFolder : IDisposable
{
    public const string System = "/run/sshd";

    private const string MadeHere = "made-by-bastion";
    private const string UsePrefix = "used-by-";
    private readonly string _folder;
    private readonly string? _use;

    private PrivilegeSeparationFolder(string folder, string? use) => (_folder, _use) = (folder, use);

    public static PrivilegeSeparationFolder Claim(string folder = System)
    {
        // A second try: the folder may go between finding it and marking it.
        for (var attempt = 0; ; attempt++)
        {
            try
            {
                return TryClaim(folder);
            }
            catch (DirectoryNotFoundException) when (attempt < 3)
            {
            }
        }
    }

    public void Dispose()
    {
        if (_use is null)
        {
            return;
        }

        File.Delete(Path.Combine(_folder, _use));
        if (Directory.Exists(_folder) && !OthersUse(_folder))
        {
            RemoveEmpty(_folder);
        }
    }

    private static PrivilegeSeparationFolder TryClaim(string folder)
    {
        var made = Path.Combine(folder, MadeHere);
        if (!Directory.Exists(folder))
        {
            Directory.CreateDirectory(folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute
                | UnixFileMode.GroupRead | UnixFileMode.GroupExecute | UnixFileMode.OtherRead | UnixFileMode.OtherExecute);
            File.WriteAllText(made, "");
        }
        else if (!File.Exists(made))
        {
            return new(folder, null);
        }

        var use = $"{UsePrefix}{Environment.ProcessId}-{Guid.NewGuid():N}";
        File.WriteAllText(Path.Combine(folder, use), "");
        return new(folder, use);
    }

    /// <summary>Marks of processes that were killed do not count.</summary>
    private static bool OthersUse(string folder)
    {
        var inUse = false;
        foreach (var mark in Directory.EnumerateFiles(folder, UsePrefix + "*"))
        {
            var pid = Path.GetFileName(mark)[UsePrefix.Length..].Split('-')[0];
            if (Directory.Exists($"/proc/{pid}"))
            {
                inUse = true;
            }
            else
            {
                File.Delete(mark);
            }
        }

        return inUse;
    }

    private static void RemoveEmpty(string folder)
    {
        try
        {
            File.Delete(Path.Combine(folder, MadeHere));
            Directory.Delete(folder);
        }
        catch (IOException)
        {
            // Somebody else has begun to use it: it is theirs now.
        }
    }
}
