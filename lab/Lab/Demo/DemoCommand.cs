using System.Runtime.InteropServices;
using Common.Configuration;
using Common.Processes;
using InternalHost.Cloud.Local;

namespace Lab.Demo;

/// <summary><c>lab demo</c>: one whole outage, verified step by step.</summary>
internal static class DemoCommand
{
    private const int Good = 0;
    private const int Failed = 1;
    private const int Missing = 2;
    private const int Interrupted = 130;

    public static async Task<int> RunAsync(IReadOnlyList<string> words)
    {
        if (words.Any(w => w is "-h" or "--help"))
        {
            Console.WriteLine(DemoOptions.Usage);
            return Good;
        }

        if (DemoOptions.Parse(words, out var problem) is not { } options)
        {
            await Console.Error.WriteLineAsync($"demo: {problem}\n{DemoOptions.Usage}");
            return Missing;
        }

        using var ending = new CancellationTokenSource();
        using var interrupt = OnSignal(PosixSignal.SIGINT, ending);
        using var terminate = OnSignal(PosixSignal.SIGTERM, ending);
        using var hangup = OnSignal(PosixSignal.SIGHUP, ending);
        try
        {
            CheckMachine(options);
            return await PlayAsync(options, ending.Token) ? Good : Failed;
        }
        catch (MissingException e)
        {
            await Console.Error.WriteLineAsync($"demo: {e.Message}");
            return Missing;
        }
        catch (PrivateSshdException e)
        {
            await Console.Error.WriteLineAsync($"demo: {e.Message}");
            return Missing;
        }
        catch (OperationCanceledException) when (ending.IsCancellationRequested)
        {
            await Console.Error.WriteLineAsync("demo: interrupted; everything was ended and removed");
            return Interrupted;
        }
    }

    private static async Task<bool> PlayAsync(DemoOptions options, CancellationToken ct)
    {
        var time = TimeProvider.System;
        var launcher = new SystemProcessLauncher(time);
        using var timeline = new Timeline(options.JsonFile, time);
        using var folder = RunFolder.Make(options.Keep);
        await using IDemoWorld world = options.Wiring is { } wiring
            ? await NamespaceDemoWorld.StartAsync(wiring, options.FallsOver, launcher, time, ct, options.Backup)
            : await LoopbackDemoWorld.StartAsync(DemoPorts.Bastion, launcher, time);
        timeline.Say(world.Description);
        await using var story = new Story(world, folder, timeline, time) { OnEc2 = options.OnEc2 };
        var played = await story.PlayAsync(ct);
        if (options.Keep)
        {
            timeline.Say($"kept: {folder.Path}");
        }

        return played;
    }

    private static void CheckMachine(DemoOptions options)
    {
        var needed = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["ssh"] = "openssh-client",
            ["ssh-keygen"] = "openssh-client",
            ["setpriv"] = "util-linux",
        };
        if (options.Wiring is not null)
        {
            (needed["ip"], needed["nft"], needed["conntrack"], needed["nsenter"]) = ("iproute2", "nftables", "conntrack", "util-linux");
            if (!Environment.IsPrivilegedProcess)
            {
                throw new MissingException("--lab makes network namespaces: run it as root, or leave --lab out");
            }
        }

        if (options.OnEc2 && DemoEc2.Find() is null)
        {
            throw new MissingException(DemoEc2.HowToGet);
        }

        if (options.Backup == BackupFamily.V6WithNat64)
        {
            needed["tayga"] = "tayga";
        }

        var missing = needed.Where(n => !OnPath(n.Key)).Select(n => n.Value).Distinct().ToList();
        if (missing.Count > 0)
        {
            throw new MissingException($"missing: {string.Join(' ', missing)} (sudo apt-get install --no-install-recommends {string.Join(' ', missing)})");
        }

        _ = SshdProgram.Find();
        if (PersonalValues.Name(DemoSite.LongestPerson)(DemoSite.Person).Problem is { } problem)
        {
            throw new MissingException($"this user is called {DemoSite.Person}, and whoever logs in {problem}: run the demo as another user");
        }
    }

    private static bool OnPath(string program) =>
        $"{Environment.GetEnvironmentVariable("PATH")}:/usr/sbin:/sbin".Split(':', StringSplitOptions.RemoveEmptyEntries).Any(d => File.Exists(Path.Combine(d, program)));

    private static PosixSignalRegistration OnSignal(PosixSignal signal, CancellationTokenSource ending) =>
        PosixSignalRegistration.Create(signal, context =>
        {
            context.Cancel = true;
            ending.Cancel();
        });
}
