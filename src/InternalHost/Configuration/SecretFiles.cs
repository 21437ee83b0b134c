using Common.Configuration;

namespace InternalHost.Configuration;

/// <summary>
/// Where a secret named in the configuration is kept: a credential of the service manager, else a file of the secrets folder.
/// Only looked for here; read by whoever uses it, each time, so that a replaced secret needs no restart.
/// </summary>
internal static class SecretFiles
{
    private const UnixFileMode NotForSecrets = UnixFileMode.OtherRead | UnixFileMode.OtherWrite | UnixFileMode.OtherExecute
        | UnixFileMode.GroupWrite | UnixFileMode.GroupExecute;

    private const UnixFileMode NotForKeys = NotForSecrets | UnixFileMode.GroupRead;

    /// <summary>What the service manager puts before the names of a whole folder's files (systemd.exec(5), <c>LoadCredential=secrets:FOLDER</c>).</summary>
    private const string FolderCredential = "secrets_";

    /// <summary>The file of secret <paramref name="name"/>, or what is wrong.</summary>
    public static Reading<string> Find(string name, string secretsDirectory)
    {
        if (Environment.GetEnvironmentVariable("CREDENTIALS_DIRECTORY") is { Length: > 0 } credentials
            && Array.Find([name, FolderCredential + name], n => File.Exists(Path.Combine(credentials, n))) is { } credential)
        {
            // Its mode is the service manager's business; nobody else can enter the folder.
            return Path.Combine(credentials, credential);
        }

        var path = Path.Combine(secretsDirectory, name);
        return Check(path, NotForSecrets, "0600, or 0640 with the service's group") is { } problem ? Reading.Bad(problem) : path;
    }

    /// <summary>Null when <paramref name="path"/> is a private key file that ssh would take.</summary>
    public static string? CheckKey(string path) => Check(path, NotForKeys, "0600");

    private static string? Check(string path, UnixFileMode forbidden, string wanted)
    {
        try
        {
            if (!File.Exists(path))
            {
                return Directory.Exists(path) ? $"{path} is a folder" : $"{path} is not there, or this user may not see it";
            }

            var mode = File.GetUnixFileMode(path);
            return (mode & forbidden) != UnixFileMode.None ? $"{path} has mode {Octal(mode)}: others may read it; make it {wanted}"
                : new FileInfo(path).Length == 0 ? $"{path} is empty"
                : null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return $"{path} cannot be looked at: {e.Message}";
        }
    }

    public static string Octal(UnixFileMode mode) => "0" + Convert.ToString((int)mode, 8);
}
