using Common.Processes;
using InternalHost.Cloud.Local;
using InternalHost.Cloud.Making;
using Testing;

namespace Integration.Tests.Cloud.Making;

/// <summary>What cloud-init itself says to what we tell it.</summary>
public sealed class UserDataSchemaTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("user-data-").FullName;
    private readonly SystemProcessLauncher _launcher = new(TimeProvider.System);

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [NeedsFact(Need.CloudInit | Need.Ssh)]
    public async Task Cloud_init_takes_it_with_and_without_a_host_key_and_refuses_what_is_wrong()
    {
        var once = await new OneTimeKeys(_launcher, _folder).NewAsync(default);
        var (plain, keyed) = (UserData.Render([49_022, 443], null), UserData.Render([443], once));

        Assert.Equal((0, 0), (await SchemaAsync(plain), await SchemaAsync(keyed)));
        Assert.NotEqual(0, await SchemaAsync(plain.Replace("write_files:", "write_files: 5\nfiles:", StringComparison.Ordinal)));
        Assert.InRange(keyed.Length, 1, UserData.Longest);
        Assert.Empty(Directory.EnumerateFiles(_folder, "one-time*"));
        // The private key is the one of that public key, indented or not.
        var file = Path.Combine(_folder, "host");
        await File.WriteAllTextAsync(file, string.Join('\n', keyed.Split('\n').Where(l => l.StartsWith("    ", StringComparison.Ordinal) && !l.StartsWith("     ", StringComparison.Ordinal) && !l.Contains(':')).Select(l => l.Trim())) + "\n");
        File.SetUnixFileMode(file, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        Assert.Equal(once.Public, (await _launcher.RunAsync(new ProcessSpec("ssh-keygen", ["-y", "-f", file]), default)).Output.Trim());
    }

    private async Task<int?> SchemaAsync(string text)
    {
        var file = Path.Combine(_folder, "user-data");
        await File.WriteAllTextAsync(file, text);
        return (await _launcher.RunAsync(new ProcessSpec("cloud-init", ["schema", "--config-file", file]), default)).Exit.Code;
    }
}
