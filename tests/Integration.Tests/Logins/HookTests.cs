using Common.Logins.Spool;
using Common.Processes;
using Lab;
using Testing;

namespace Integration.Tests.Logins;

/// <summary>The PAM hook itself, where it cannot write: it always succeeds, and what it cannot keep it cries out.</summary>
public sealed class HookTests
{
    private static readonly string Hook = Path.Combine(Repository.Root, "infra/bastion/hook");

    [NeedsFact(Need.Root | Need.PamWorld)]
    public async Task Hook_succeeds_and_keeps_or_cries_whatever_is_wrong_with_the_spool()
    {
        var folder = Directory.CreateTempSubdirectory("hook").FullName;
        try
        {
            var result = await new SystemProcessLauncher(TimeProvider.System).RunAsync(
                new ProcessSpec("unshare", ["--mount", "--propagation", "private", "sh", Path.Combine(Repository.Root, "tests/Integration.Tests/Logins/hook-faults.sh"), folder, Hook, "/bin/dash"]),
                new CancellationTokenSource(TimeSpan.FromSeconds(60)).Token);

            var lines = result.Output.Split('\n').ToDictionary(l => l.Split(' ')[0], l => l[(l.IndexOf(' ') + 1)..], StringComparer.Ordinal);
            // Of an environment of 180 KB it keeps 64 KiB, of which the header is not a part.
            Assert.InRange(Number(lines["long"], "bytes"), HookEventFile.LongestEnvironment, HookEventFile.LongestEnvironment + HookEventFile.LongestHeader);
            foreach (var kept in (string[])["good", "hostile", "long", "full-with-reserve", "inodes-with-reserve"])
            {
                Assert.Equal((kept, 0, 1, 0, 0), Counts(kept, lines[kept]));
            }

            foreach (var cried in (string[])["full", "inodes", "read-only", "half-written", "no-folders"])
            {
                Assert.Equal((cried, 0, 0, 0, 1), Counts(cried, lines[cried]));
            }

            Assert.Equal(("many", 0, 8192, 0, 1), Counts("many", lines["many"]));
            Assert.Equal(("much", 0, 600, 0, 1), Counts("much", lines["much"]));
            Assert.Equal(12, lines.Count);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static (string Name, int Exit, int New, int Tmp, int Cries) Counts(string name, string line) =>
        (name, Number(line, "exit"), Number(line, "new"), Number(line, "tmp"), Number(line, "cries"));

    private static int Number(string line, string name) => int.Parse(line.Split(' ').First(w => w.StartsWith(name + "=", StringComparison.Ordinal))[(name.Length + 1)..], null);
}
