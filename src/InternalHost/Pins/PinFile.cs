using System.Collections.Immutable;
using Common.Hosting;
using InternalHost.Configuration;

namespace InternalHost.Pins;

/// <summary>The file that <c>bastion.host_keys</c> names. It holds nothing secret; who can write it decides whom we trust.</summary>
internal static class PinFile
{
    private const int Longest = 64 * 1024;
    private const UnixFileMode Mode = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.OtherRead;

    /// <summary>Empty: there is no such file.</summary>
    /// <exception cref="IOException">It cannot be read, or is no such file.</exception>
    /// <exception cref="UnauthorizedAccessException"/>
    public static ImmutableArray<Pin> Read(string path) => !File.Exists(path) ? []
        : new FileInfo(path).Length <= Longest ? PinText.Parse(File.ReadAllText(path))
        : throw new IOException($"{path} is too large to be a file of host keys");

    /// <summary>What is pinned, with what its files say of it; a key of the configuration itself was written by hand.</summary>
    public static ImmutableArray<Pin> Of(BastionOptions bastion)
    {
        var told = bastion.HostKeyFiles.SelectMany(f => TryRead(f)).ToLookup(p => p.Key, StringComparer.Ordinal);
        return [.. bastion.HostKeys.Select(key => told[key].FirstOrDefault() ?? new Pin(key, PinSource.Hand))];
    }

    private static ImmutableArray<Pin> TryRead(string path)
    {
        try
        {
            return Read(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return [];
        }
    }

    /// <summary>Whole or not at all: a reader sees the old pins or the new ones.</summary>
    /// <exception cref="IOException"/>
    /// <exception cref="UnauthorizedAccessException"/>
    public static void Write(string path, ImmutableArray<Pin> pins)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(path))!);
        AtomicFile.Put(path, PinText.Render(pins), Mode);
    }

    /// <summary>Beside those that are there; of one key the newest word counts.</summary>
    /// <exception cref="IOException"/>
    /// <exception cref="UnauthorizedAccessException"/>
    public static void Add(string path, Pin pin) => Write(path, [.. Read(path).Where(p => p.Key != pin.Key), pin]);

    /// <summary>For <see cref="Pin.By"/>: the person behind sudo where there is one.</summary>
    public static string Me => Environment.GetEnvironmentVariable("SUDO_USER") is { Length: > 0 } person ? person : Environment.UserName;
}
