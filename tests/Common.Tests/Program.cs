using Common.Processes;

namespace Common.Tests;

/// <summary>What the tests run as a program of its own: a parent that can be killed.</summary>
internal static class Program
{
    public static async Task<int> Main(string[] args)
    {
        if (args is not ["hold-a-child"])
        {
            return 2;
        }

        await using var child = new SystemProcessLauncher(TimeProvider.System).Start(new ProcessSpec("sleep", ["60"]), (_, _) => { });
        Console.WriteLine(child.Pid);
        await child.Exited;
        return 0;
    }
}
