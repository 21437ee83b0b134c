using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;
using Common.Processes;
using Lab;

namespace Integration.Tests.Packages;

/// <summary>A real Debian with systemd as PID 1 (<c>lab/box</c>), made for this run and removed with it.</summary>
internal sealed partial class Box : IAsyncDisposable
{
    /// <summary>A machine that is busy with everything else takes minutes for what takes seconds.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(25);

    private static readonly TimeSpan ConditionPatience = TimeSpan.FromSeconds(120);

    private static readonly string Script = Path.Combine(Repository.Root, "lab", "box");

    private static int _boxes;

    private readonly SystemProcessLauncher _launcher = new(TimeProvider.System);
    private readonly string _folder = Directory.CreateTempSubdirectory("box-").FullName;
    private readonly string _prefix = string.Create(CultureInfo.InvariantCulture, $"box.{Environment.ProcessId}-{Interlocked.Increment(ref _boxes)}-");

    public string Root => Path.Combine(_folder, "root");

    public string Folder => _folder;

    /// <summary>The network namespace outside of the box.</summary>
    public string Away => _prefix + "away";

    /// <summary>The box's own.</summary>
    public string Inside => _prefix + "box";

    public static async Task SweepAsync()
    {
        var launcher = new SystemProcessLauncher(TimeProvider.System);
        var left = !Directory.Exists("/run/netns") ? [] : Directory.EnumerateFiles("/run/netns").Select(f => Prefixed().Match(Path.GetFileName(f)))
            .Where(m => m.Success && !Directory.Exists($"/proc/{m.Groups["pid"].Value}")).Select(m => m.Groups["prefix"].Value).Distinct().ToList();
        foreach (var prefix in left)
        {
            await launcher.RunAsync(new ProcessSpec(Script, ["-p", prefix, "down"]), new CancellationTokenSource(Patience).Token);
        }
    }

    public Task MakeAsync() => DoAsync("make", Root);

    /// <summary>A box of its own, of what is there now; this one must not be running.</summary>
    public async Task<Box> CopyAsync()
    {
        var copy = new Box();
        var result = await _launcher.RunAsync(new ProcessSpec("cp", ["-a", "--reflink=auto", Root, copy.Root]), new CancellationTokenSource(Patience).Token);
        return result.Ok ? copy : throw new InvalidOperationException($"the box cannot be copied: {result.Error}");
    }

    public Task UpAsync() => DoAsync("up", Root);

    public Task DownAsync() => DoAsync("down");

    /// <summary>As root, inside. What it printed; fails loudly.</summary>
    public async Task<string> RunAsync(params string[] command)
    {
        var result = await TryAsync(command);
        return result.Ok ? result.Output : throw new InvalidOperationException($"in the box: {string.Join(' ', command)}: {result.Output}\n{result.Error}");
    }

    public Task<ProcessResult> TryAsync(params string[] command) => StartAsync(["exec", .. command]);

    public Task<string> ShellAsync(string script, string shell = "sh") => RunAsync(shell, "-c", script);

    /// <summary>Nobody answers inside any more.</summary>
    public async Task<bool> IsOffAsync() => !(await TryAsync("true")).Ok;

    /// <summary>In the network outside.</summary>
    public Task<ProcessResult> AwayAsync(params string[] command) => StartAsync(["away", .. command]);

    /// <summary>A program that stays, in the network outside.</summary>
    public IChildProcess StayAway(params string[] command) =>
        _launcher.Start(new ProcessSpec("nsenter", [$"--net=/run/netns/{Away}", "--", .. command]), (_, _) => { });

    public async Task UntilAsync(Func<Task<bool>> condition, string what)
    {
        for (var began = Stopwatch.GetTimestamp(); !await condition();)
        {
            if (Stopwatch.GetElapsedTime(began) > ConditionPatience)
            {
                var said = await TryAsync("journalctl", "-b", "-u", "bastion-*", "-u", "internalhost", "-u", "ssh", "-t", "bastion", "-n", "40", "--no-pager");
                throw new TimeoutException($"not in time: {what}. They said:\n{said.Output}");
            }

            await Task.Delay(TimeSpan.FromMilliseconds(100));
        }
    }

    /// <summary>Every file of the system with its checksum, without what changes by itself; users and groups; units.</summary>
    public Task<string> SnapshotAsync() => ShellAsync(
        "find / -xdev \\( -path /packages -o -path /proc -o -path /sys -o -path /run -o -path /tmp -o -path /var/log -o -path /var/cache -o -path /var/lib/dpkg -o -path /var/tmp "
        + "-o -path /var/lib/systemd -o -path /var/lib/apt -o -path /var/lib/unattended-upgrades -o -path /root -o -path /home -o -path '/etc/*-' -o -path /var/lib/rsyslog -o -path /var/spool/rsyslog -o -path /etc/.pwd.lock \\) -prune -o -type f -print0 | sort -z | xargs -0 sha256sum; "
        + "find / -xdev \\( -path /packages -o -path /proc -o -path /sys -o -path /run -o -path /tmp -o -path /var/log -o -path /home -o -path /root \\) -prune -o \\( -type d -o -type l \\) -print | grep -v -e systemd-private -e /var/lib/systemd -e /var/lib/apt -e /var/lib/unattended-upgrades | sort");

    public async Task<ProcessResult> BuildAsync(params string[] words) =>
        await _launcher.RunAsync(new ProcessSpec(Path.Combine(Repository.Root, "infra", "package"), words), new CancellationTokenSource(Patience).Token);

    public async ValueTask DisposeAsync()
    {
        await StartAsync(["down"]);
        Directory.Delete(_folder, recursive: true);
    }

    private async Task DoAsync(params string[] words)
    {
        var result = await StartAsync(words);
        if (!result.Ok)
        {
            throw new InvalidOperationException($"lab/box {string.Join(' ', words)}: {result.Error}");
        }
    }

    private Task<ProcessResult> StartAsync(string[] words) =>
        _launcher.RunAsync(new ProcessSpec(Script, ["-p", _prefix, .. words]), new CancellationTokenSource(Patience).Token);

    [GeneratedRegex(@"^(?<prefix>box\.(?<pid>\d+)-\d+-)", RegexOptions.ExplicitCapture, 100)]
    private static partial Regex Prefixed();
}
