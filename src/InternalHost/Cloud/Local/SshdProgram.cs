using System.Collections.Immutable;
using Common.Processes;

namespace InternalHost.Cloud.Local;

/// <summary>The machine's sshd, or one that was unpacked into a folder by somebody without root (<c>BASTION_SSHD</c>).</summary>
/// <param name="Libraries">Folders for LD_LIBRARY_PATH, where the package's own libraries were unpacked beside it.</param>
/// <param name="Helpers">Folders in which sshd-session and sshd-auth may be, where they are not at the path that was compiled in.</param>
internal sealed record SshdProgram(string Path, ImmutableArray<string> Libraries, ImmutableArray<string> Helpers)
{
    /// <summary>Names a folder that holds sshd, or below which usr/sbin/sshd was unpacked (<c>dpkg -x</c>).</summary>
    public const string FolderVariable = "BASTION_SSHD";

    private static readonly ImmutableArray<string> Programs = ["sshd", "sbin/sshd", "usr/sbin/sshd"];
    private static readonly ImmutableArray<string> Libs = ["lib", "usr/lib"];
    private static readonly ImmutableArray<string> HelperPlaces = ["", "lib/openssh", "usr/lib/openssh", "libexec", "usr/libexec/openssh"];

    /// <exception cref="PrivateSshdException">There is none.</exception>
    public static SshdProgram Find() => Find(Environment.GetEnvironmentVariable(FolderVariable), Environment.GetEnvironmentVariable("PATH"));

    public static SshdProgram Find(string? folder, string? searchPath)
    {
        if (!string.IsNullOrEmpty(folder))
        {
            return Unpacked(System.IO.Path.GetFullPath(folder));
        }

        var found = (searchPath ?? "").Split(':', StringSplitOptions.RemoveEmptyEntries).Concat(["/usr/sbin", "/usr/local/sbin", "/sbin"])
            .Select(d => System.IO.Path.Combine(d, "sshd")).FirstOrDefault(File.Exists)
            ?? throw new PrivateSshdException(
                $"no sshd on this machine: install openssh-server, or unpack it and name its folder in {FolderVariable}");
        return new(found, [], []);
    }

    public async Task<OpenSshVersion> VersionAsync(IProcessLauncher launcher, CancellationToken ct)
    {
        // Before 9.3 -V is no option: the usage text that comes instead names the version too.
        var said = await launcher.RunAsync(new ProcessSpec(Path, ["-V"]) { Environment = ChildEnvironment }, ct);
        return OpenSshVersion.Parse($"{said.Error}\n{said.Output}")
            ?? throw new PrivateSshdException($"{Path} does not name its version: {said.Error.Trim()}");
    }

    public IReadOnlyDictionary<string, string> ChildEnvironment => Libraries.IsEmpty
        ? ImmutableDictionary<string, string>.Empty
        : new Dictionary<string, string>(StringComparer.Ordinal) { ["LD_LIBRARY_PATH"] = string.Join(':', Libraries) };

    public string? Helper(string name) => Helpers.Select(d => System.IO.Path.Combine(d, name)).FirstOrDefault(File.Exists);

    private static SshdProgram Unpacked(string folder)
    {
        var sshd = Programs.Select(f => System.IO.Path.Combine(folder, f)).FirstOrDefault(File.Exists)
            ?? throw new PrivateSshdException($"{FolderVariable}={folder}: there is no sshd in it, nor usr/sbin/sshd below it");
        string[] roots = [folder, System.IO.Path.GetFullPath("..", folder), System.IO.Path.GetFullPath("../..", folder)];
        return new(sshd, [.. roots.SelectMany(LibraryFolders).Distinct()], [.. roots.SelectMany(HelperFolders).Distinct()]);
    }

    private static IEnumerable<string> LibraryFolders(string root) =>
        Libs.Select(l => System.IO.Path.Combine(root, l)).Where(Directory.Exists)
            .Where(l => l is not "/lib" and not "/usr/lib")
            .SelectMany(l => Directory.EnumerateDirectories(l, "*-linux-gnu*").Prepend(l));

    private static IEnumerable<string> HelperFolders(string root) =>
        HelperPlaces.Select(l => System.IO.Path.Combine(root, l)).Where(Directory.Exists);
}
