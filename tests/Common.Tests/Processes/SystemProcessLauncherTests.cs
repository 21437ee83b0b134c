using System.Collections.Concurrent;
using System.Diagnostics;
using Common.Processes;

namespace Common.Tests.Processes;

public sealed class SystemProcessLauncherTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    private readonly SystemProcessLauncher _launcher = new(TimeProvider.System);

    [Fact]
    public async Task Child_outlives_the_thread_that_asked_for_it()
    {
        IChildProcess? child = null;
        var asker = new Thread(() => child = _launcher.Start(Shell("exec sleep 60"), (_, _) => { }));
        asker.Start();
        asker.Join();

        await Assert.ThrowsAsync<TimeoutException>(() => child!.Exited.WaitAsync(TimeSpan.FromMilliseconds(500)));

        await child!.DisposeAsync();
    }

    [Fact]
    public async Task Child_dies_when_its_parent_is_killed()
    {
        using var parent = new Process { StartInfo = new ProcessStartInfo("dotnet", ["exec", typeof(Program).Assembly.Location, "hold-a-child"]) { RedirectStandardOutput = true, UseShellExecute = false } };
        parent.Start();
        var childPid = int.Parse(await parent.StandardOutput.ReadLineAsync().WaitAsync(Patience) ?? "");
        using var child = Process.GetProcessById(childPid);

        parent.Kill();

        await child.WaitForExitAsync().WaitAsync(Patience);
    }

    [Fact]
    public async Task Child_that_ignores_SIGTERM_is_killed_after_the_grace()
    {
        var ready = new TaskCompletionSource();
        await using var child = _launcher.Start(Shell("trap '' TERM; echo ready; while :; do sleep 1; done"), (_, _) => ready.TrySetResult());
        await ready.Task.WaitAsync(Patience);

        var exit = await child.StopAsync(TimeSpan.FromMilliseconds(100)).WaitAsync(Patience);

        Assert.Equal(new ProcessExit(null, 9, StoppedByUs: true), exit);
    }

    [Fact]
    public async Task Stop_is_remembered_and_an_end_by_itself_is_not_a_stop()
    {
        await using var stopped = _launcher.Start(Shell("exec sleep 60"), (_, _) => { });
        await using var ended = _launcher.Start(Shell("exit 3"), (_, _) => { });

        Assert.Equal(new ProcessExit(3, null, StoppedByUs: false), await ended.Exited.WaitAsync(Patience));
        Assert.Equal(new ProcessExit(null, 15, StoppedByUs: true), await stopped.StopAsync().WaitAsync(Patience));
        Assert.False((await ended.StopAsync()).StoppedByUs);
    }

    [Fact]
    public async Task Environment_holds_only_what_was_given()
    {
        Environment.SetEnvironmentVariable("NOTIFY_SOCKET", "/nowhere");
        Environment.SetEnvironmentVariable("SSH_AUTH_SOCK", "/nowhere");
        var spec = new ProcessSpec("env", []) { Environment = new Dictionary<string, string> { ["GIVEN"] = "yes" } };

        var result = await _launcher.RunAsync(spec, CancellationToken.None).WaitAsync(Patience);

        var names = result.Output.Split('\n').Select(line => line.Split('=')[0]).Order();
        Assert.Equal(["GIVEN", "HOME", "LANG", "PATH"], names);
        Assert.Contains("LANG=C.UTF-8", result.Output.Split('\n'));
    }

    [Fact]
    public async Task Line_of_a_megabyte_is_capped_and_the_next_line_still_comes()
    {
        var lines = new ConcurrentQueue<string>();
        await using var child = _launcher.Start(Shell("head -c 1048576 /dev/zero | tr '\\0' x; echo; echo after"), (_, line) => lines.Enqueue(line));

        await child.Exited.WaitAsync(Patience);

        Assert.Equal([new string('x', 4096), "after"], lines);
    }

    [Fact]
    public async Task Both_pipes_are_drained_and_told_apart()
    {
        var result = await _launcher.RunAsync(Shell("head -c 300000 /dev/zero | tr '\\0' '\\n' >&2; printf 'out\\r\\nlast'; cat"), CancellationToken.None).WaitAsync(Patience);

        Assert.True(result.Ok);
        Assert.Equal("out\nlast", result.Output);
        Assert.Equal(300_000 - 1, result.Error.Length);
    }

    [Fact]
    public async Task Input_comes_whole_and_ends()
    {
        var input = Enumerable.Range(0, 500_000).Select(i => (byte)('a' + (i % 26))).ToArray();

        var result = await _launcher.RunAsync(Shell("sha256sum") with { Input = input }, new CancellationTokenSource(Patience).Token);

        Assert.Equal(Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(input)), result.Output.Split(' ')[0]);
    }

    [Fact]
    public async Task Child_that_does_not_read_its_input_ends_as_it_likes()
    {
        var result = await _launcher.RunAsync(Shell("exit 3") with { Input = new byte[500_000] }, new CancellationTokenSource(Patience).Token);

        Assert.Equal(3, result.Exit.Code);
    }

    [Fact]
    public async Task Grandchild_that_holds_the_pipes_does_not_hold_the_exit()
    {
        var pid = new TaskCompletionSource<int>();
        await using var child = _launcher.Start(Shell("sleep 60 & echo $!; exit 0"), (_, line) => pid.TrySetResult(int.Parse(line)));

        var exit = await child.Exited.WaitAsync(Patience);

        Assert.Equal(0, exit.Code);
        using var grandchild = Process.GetProcessById(await pid.Task);
        grandchild.Kill();
    }

    [Fact]
    public void Program_that_is_not_there_is_said()
    {
        var missing = Assert.Throws<ProcessStartException>(() => _launcher.Start(new ProcessSpec("no-such-program", []), (_, _) => { }));
        var forbidden = Assert.Throws<ProcessStartException>(() => _launcher.Start(new ProcessSpec("/etc/passwd", []), (_, _) => { }));

        Assert.Contains("no-such-program", missing.Message, StringComparison.Ordinal);
        Assert.Contains("/etc/passwd", forbidden.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Cancelled_run_stops_the_child()
    {
        using var cancel = new CancellationTokenSource();
        var run = _launcher.RunAsync(Shell("exec sleep 60"), cancel.Token);

        await cancel.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => run.WaitAsync(Patience));
    }

    private static ProcessSpec Shell(string script) => new("sh", ["-c", script]);
}
