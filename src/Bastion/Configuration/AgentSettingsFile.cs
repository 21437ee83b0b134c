using System.Text;
using Common.Configuration;

namespace Bastion.Configuration;

/// <summary>
/// The agent's settings file: what it is and where it looks; people and channels may come with the sites' bundles. JSON, or any YAML (of which JSON is a part), so that a person may
/// comment it.
/// </summary>
internal static class AgentSettingsFile
{
    private const string File = "(file)";
    private const int LongestSecret = 2048;   // a webhook's address
    private const UnixFileMode OthersMayWrite = UnixFileMode.GroupWrite | UnixFileMode.OtherWrite;
    private const UnixFileMode Others =
        UnixFileMode.GroupRead | UnixFileMode.GroupWrite | UnixFileMode.OtherRead | UnixFileMode.OtherWrite;

    /// <exception cref="ConfigurationException">With every mistake.</exception>
    public static AgentOptions Load(string path)
    {
        var errors = new ConfigurationErrors();
        var text = ReadText(path);
        if (text.Problem is { } problem)
        {
            errors.Add(File, path, problem, 0);
        }

        var map = text.Value is { } yaml ? YamlTree.Parse(yaml, errors) : null;
        var options = map is null ? null : AgentSettings.Read(map, errors, SecretFile);
        if (map?.At("sms.secret") is not null && OpenToOthers(path))
        {
            errors.Add(File, path, "holds a secret and can be read by others: chmod 600 it, and put the secret into a file of its own", 0);
        }

        if (map is not null && (System.IO.File.GetUnixFileMode(path) & OthersMayWrite) != UnixFileMode.None)
        {
            errors.Add(File, path, "can be written by others: they could silence it; chmod 600 it", 0);
        }

        return errors.Any || options is null ? throw new ConfigurationException(errors.All) : options;
    }

    private static Reading<string> ReadText(string path)
    {
        try
        {
            return System.IO.File.ReadAllText(path, new UTF8Encoding(false, true));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or DecoderFallbackException)
        {
            return Reading.Bad(e switch
            {
                FileNotFoundException or DirectoryNotFoundException => "is not there",
                UnauthorizedAccessException => "may not be read by this user, or is a folder",
                DecoderFallbackException => "is not UTF-8",
                _ => "cannot be read",
            });
        }
    }

    /// <summary>It is read anew for each request, so that a replaced secret counts at once; here it is only looked at.</summary>
    private static Reading<string> SecretFile(string file)
    {
        if (!Path.IsPathRooted(file))
        {
            return Reading.Bad("must be an absolute path");
        }

        var text = ReadText(file);
        return text.Problem is not null ? text
            : OpenToOthers(file) ? Reading.Bad("can be read by others: chmod 600 it")
            : text.Value!.Trim() is { Length: > 0 and <= LongestSecret } secret && secret.All(c => c is > ' ' and <= '~') ? file
            : Reading.Bad("must hold one word, the secret, and nothing else");
    }

    private static bool OpenToOthers(string path)
    {
        var open = System.IO.File.GetUnixFileMode(path) & Others;
        // systemd gives a credential to the service's user by an access list, which shows as a readable group.
        var credentials = Environment.GetEnvironmentVariable("CREDENTIALS_DIRECTORY");
        var isCredential = credentials is { Length: > 0 } && Path.GetFullPath(path).StartsWith(credentials + "/", StringComparison.Ordinal);
        return (isCredential ? open & ~UnixFileMode.GroupRead : open) != UnixFileMode.None;
    }
}
