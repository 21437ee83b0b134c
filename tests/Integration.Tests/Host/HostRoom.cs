using System.Diagnostics;
using Common.Processes;

namespace Integration.Tests.Host;

/// <summary>
/// A machine to install on: this one's files under overlays in memory, its own mounts, network and processes. Nothing that happens in
/// it is seen outside, and all of it ends with its first process.
/// </summary>
internal sealed class HostRoom : IAsyncDisposable
{
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(120);

    /// <summary>The first process takes care of orphans, as PID 1 does: it waits for each.</summary>
    private const string Furnish =
        """
        set -e
        mount --make-rprivate /
        mount -t tmpfs -o mode=755 tmpfs /mnt
        for top in etc var home usr root; do
          mkdir -p /mnt/$top/upper /mnt/$top/work
          mount -t overlay -o lowerdir=/$top,upperdir=/mnt/$top/upper,workdir=/mnt/$top/work overlay /$top
        done
        mount -t tmpfs -o mode=755 tmpfs /run
        mkdir -p /run/sshd
        rm -rf /etc/cloud # only there for "cloud-init schema": the room is no cloud's instance
        ip link set lo up
        rm -f /run/nologin /etc/nologin
        echo furnished
        while :; do sleep 1000 & wait $! || true; done
        """;

    private readonly SystemProcessLauncher _launcher = new(TimeProvider.System);
    private IChildProcess _first = null!;

    /// <summary>Its first process, as this machine counts.</summary>
    private int _pid;

    private HostRoom()
    {
    }

    public static async Task<HostRoom> OpenAsync()
    {
        var room = new HostRoom();
        var ready = new TaskCompletionSource();
        var said = "";
        room._first = room._launcher.Start(
            new ProcessSpec("unshare", ["--mount", "--net", "--pid", "--fork", "--kill-child", "--mount-proc", "sh", "-c", Furnish]),
            (_, line) =>
            {
                said += line + "\n";
                if (line == "furnished")
                {
                    ready.TrySetResult();
                }
            });
        if (await Task.WhenAny(ready.Task, room._first.Exited, Task.Delay(Patience)) != ready.Task)
        {
            await room.DisposeAsync();
            throw new InvalidOperationException($"the room could not be furnished: {said}");
        }

        room._pid = int.Parse((await File.ReadAllTextAsync($"/proc/{room._first.Pid}/task/{room._first.Pid}/children")).Split(' ')[0]);
        return room;
    }

    /// <summary>Where the room's files are seen from outside, for reading.</summary>
    public string Seen(string path) => $"/proc/{_pid}/root{path}";

    public async Task<ProcessResult> RunAsync(params string[] command)
    {
        using var timeout = new CancellationTokenSource(Patience);
        return await _launcher.RunAsync(Inside(command), timeout.Token);
    }

    public Task<ProcessResult> ShellAsync(string script) => RunAsync("sh", "-c", script);

    /// <summary>Runs it; a failure is the test's.</summary>
    public async Task<string> DoAsync(string script)
    {
        var result = await ShellAsync("set -e\n" + script);
        return result.Ok ? result.Output : throw new InvalidOperationException($"{script}\nexit {result.Exit}: {result.Output}\n{result.Error}");
    }

    /// <summary>Starts programs of this machine, with its files, in the room's network.</summary>
    public IProcessLauncher Network => new NetworkLauncher(this);

    public IChildProcess Start(Action<string> onLine, params string[] command) => _launcher.Start(Inside(command), (_, line) => onLine(line));

    public async Task UntilAsync(Func<Task<bool>> condition, string what)
    {
        for (var began = Stopwatch.GetTimestamp(); !await condition();)
        {
            if (Stopwatch.GetElapsedTime(began) > Patience)
            {
                throw new TimeoutException($"not in time: {what}");
            }

            await Task.Delay(TimeSpan.FromMilliseconds(50));
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _first.StopAsync();
        await _first.DisposeAsync();
    }

    private ProcessSpec Inside(string[] command) => new("nsenter", [$"--target={_pid}", "--mount", "--net", "--pid", "--", .. command]);

    private sealed class NetworkLauncher(HostRoom room) : IProcessLauncher
    {
        public IChildProcess Start(ProcessSpec spec, Action<ProcessStream, string> onLine) =>
            room._launcher.Start(spec with { Program = "nsenter", Arguments = [$"--target={room._pid}", "--net", "--", spec.Program, .. spec.Arguments] }, onLine);
    }
}
