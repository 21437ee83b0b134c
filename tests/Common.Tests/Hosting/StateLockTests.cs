using Common.Hosting;

namespace Common.Tests.Hosting;

public sealed class StateLockTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory();

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    public void Second_daemon_is_refused_and_told_who_holds_it()
    {
        var directory = Path.Combine(_folder.FullName, "state");
        using var first = StateLock.Take(directory);

        var refused = Assert.Throws<StartRefusedException>(() => StateLock.Take(directory));

        Assert.Contains($"pid {Environment.ProcessId}", refused.Message, StringComparison.Ordinal);
        Assert.Equal(ExitCode.Failed, refused.ExitCode);
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute, File.GetUnixFileMode(directory));
    }

    [Fact]
    public void Lock_ends_with_its_holder()
    {
        StateLock.Take(_folder.FullName).Dispose();

        using var second = StateLock.Take(_folder.FullName);

        Assert.NotNull(second);
    }

    [Fact]
    public void Directory_that_cannot_be_is_refused_in_words()
    {
        var file = Path.Combine(_folder.FullName, "file");
        File.WriteAllText(file, "");

        var refused = Assert.Throws<StartRefusedException>(() => StateLock.Take(Path.Combine(file, "state")));

        Assert.Contains(file, refused.Message, StringComparison.Ordinal);
    }
}
