using System.Collections.Immutable;
using System.Text;
using Common.Configuration;

namespace InternalHost.Configuration;

/// <summary>What became of reading a configuration: options and the ports to remember, or every mistake.</summary>
public sealed record SiteReading(SiteOptions? Options, ImmutableDictionary<string, int> PortMemory, IReadOnlyList<ConfigurationError> Errors)
{
    /// <exception cref="ConfigurationException">There were mistakes.</exception>
    public SiteOptions OptionsOrThrow() => Options ?? throw new ConfigurationException(Errors);
}

/// <summary>The files that the making of a machine writes.</summary>
/// <param name="HostKeys">Null: the pins stand in the configuration itself.</param>
/// <param name="Secret">What the daemon calls the provider with; null: none is named.</param>
public sealed record MakingFiles(string? HostKeys, string? Secret);

/// <summary><c>internalhost.yaml</c>, read and checked: options that can be used as they stand, or all reasons why not.</summary>
public static class SiteConfiguration
{
    public const string DefaultPath = "/etc/internalhost/internalhost.yaml";

    /// <param name="remembered">Ports that services had (<see cref="ServicePortMemory"/>); null: looked up in the state file it names.</param>
    public static SiteReading Load(string path, IReadOnlyDictionary<string, int>? remembered = null)
    {
        var errors = new ConfigurationErrors();
        var text = ReadText(path, errors);
        return text is null ? Failed(errors) : Read(text, remembered, errors, ModeOf(path));
    }

    /// <summary>The same before there is a machine: its pins, the tunnel's key and the secrets need not be there.</summary>
    public static (SiteReading Reading, MakingFiles Files) LoadForMaking(string path)
    {
        var errors = new ConfigurationErrors();
        if (ReadText(path, errors) is not { } text || YamlTree.Parse(text, errors) is not { } file)
        {
            return (Failed(errors), new MakingFiles(null, null));
        }

        CheckReaders(file, ModeOf(path), errors);
        var draft = SiteReader.Read(file, Remembered(file), errors);
        var bastion = draft.Options.Bastion;
        var files = new MakingFiles(
            bastion.HostKeys.FirstOrDefault(k => k.StartsWith('/')),
            bastion.Api?.SecretFile is { Length: > 0 } secret ? Path.Combine(draft.SecretsDirectory, secret) : null);
        var options = new SiteFiles(draft, file, errors) { BeforeMaking = true }.Resolve();
        return (errors.Any ? Failed(errors) : new SiteReading(options, draft.PortMemory, []), files);
    }

    /// <summary>The same from text that is no file.</summary>
    public static SiteReading Parse(string text, IReadOnlyDictionary<string, int>? remembered = null) =>
        Read(text, remembered, new ConfigurationErrors(), UnixFileMode.None);

    /// <summary>Where the daemon of this configuration listens, even if the file has become unreadable since it was started.</summary>
    public static string ControlSocketOf(string path) => SiteOptions.ControlSocketIn(LenientText(path, "runtime_directory", SiteDefaults.RuntimeDirectory));

    private static SiteReading Read(string text, IReadOnlyDictionary<string, int>? remembered, ConfigurationErrors errors, UnixFileMode mode)
    {
        if (YamlTree.Parse(text, errors) is not { } file)
        {
            return Failed(errors);
        }

        CheckReaders(file, mode, errors);
        var draft = SiteReader.Read(file, remembered ?? Remembered(file), errors);
        var options = new SiteFiles(draft, file, errors).Resolve();
        return errors.Any ? Failed(errors) : new SiteReading(options, draft.PortMemory, []);
    }

    private static SiteReading Failed(ConfigurationErrors errors) => new(null, [], errors.All);

    /// <summary>A secret written into a file that others may read is known to them: it is not enough to move it.</summary>
    private static void CheckReaders(ConfigurationNode.Map file, UnixFileMode mode, ConfigurationErrors errors)
    {
        if ((mode & (UnixFileMode.OtherRead | UnixFileMode.GroupWrite | UnixFileMode.OtherWrite)) != UnixFileMode.None && InlineSecrets.Find(file) is { } key)
        {
            errors.Add(
                "(file)", SecretFiles.Octal(mode), $"others may read this file and {key} holds a secret: chmod 0640 it, and replace that secret, it must be taken as known", 0);
        }
    }

    private static ImmutableDictionary<string, int> Remembered(ConfigurationNode.Map file) =>
        ServicePortMemory.Peek(Path.Combine((file.At("state_directory") as ConfigurationNode.Scalar)?.Text ?? SiteDefaults.StateDirectory, SiteOptions.StateFileName));

    private static string LenientText(string path, string key, string fallback)
    {
        var ignored = new ConfigurationErrors();
        var file = ReadText(path, ignored) is { } text ? YamlTree.Parse(text, ignored) : null;
        return file?.At(key) is ConfigurationNode.Scalar { Text: ['/', ..] } found ? found.Text : fallback;
    }

    private static UnixFileMode ModeOf(string path)
    {
        try
        {
            return File.GetUnixFileMode(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return UnixFileMode.None;
        }
    }

    private static string? ReadText(string path, ConfigurationErrors errors)
    {
        try
        {
            // Bounded whatever it is: /dev/zero has no end and no length.
            using var stream = File.OpenRead(path);
            var bytes = new byte[(YamlTree.MaxCharacters * 4) + 1];
            var length = stream.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false);
            return new UTF8Encoding(false, throwOnInvalidBytes: true).GetString(bytes, 0, length).TrimStart('\uFEFF');
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
        {
            errors.Add("(file)", path, e switch
            {
                FileNotFoundException or DirectoryNotFoundException => "is not there",
                UnauthorizedAccessException when Directory.Exists(path) => "is a folder",
                UnauthorizedAccessException => "may not be read by this user",
                DecoderFallbackException => "is not text (UTF-8)",
                _ => $"cannot be read: {e.Message}",
            }, 0);
            return null;
        }
    }
}

/// <summary>Secrets that were written into the configuration itself.</summary>
internal static class InlineSecrets
{
    /// <summary>The key of the first one, or null.</summary>
    public static string? Find(ConfigurationNode node, string path = "") => node switch
    {
        ConfigurationNode.Map map => map.Entries.Select(e => Find(e.Value, path.Length == 0 ? e.Key : $"{path}.{e.Key}")).FirstOrDefault(k => k is not null),
        ConfigurationNode.List list => list.Items.Select((item, i) => Find(item, $"{path}[{i + 1}]")).FirstOrDefault(k => k is not null),
        ConfigurationNode.Scalar scalar when Holds(path, scalar.Text) => path,
        _ => null,
    };

    private static bool Holds(string path, string value) =>
        Masking.LooksSecret(value) || (Masking.IsSecretKey(path) && PersonalValues.Name(40)(value).Problem is not null && value.Length > 0);
}
