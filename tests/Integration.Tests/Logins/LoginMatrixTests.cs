using System.Net;
using System.Net.Sockets;
using System.Text.RegularExpressions;
using Common.Logins;
using Common.Processes;
using Integration.Tests.Cloud;
using Testing;

namespace Integration.Tests.Logins;

/// <summary>Every kind of login on a real sshd with real PAM: what is recorded and told of each, and what of none.</summary>
public sealed class LoginMatrixTests
{
    private const Need Needed = Need.Ssh | Need.Sshd | Need.Root | Need.PamWorld;
    private const LoginSources Both = LoginSources.Hook | LoginSources.Log;
    private const int HookSpoke = 2;
    private const int HookIsMissing = 3;

    [NeedsFact(Needed)]
    public async Task Every_kind_of_login_is_told_once_in_these_words_and_what_is_no_login_is_not()
    {
        PamWorld world = null!;
        // Row, device, account, method, how to come, and what is told of it.
        (int Row, string Device, string User, string Method, Func<int, Task> Come, string Told)[] rows =
        [
            (11, "shell", "alice", "publickey", r => world.SshAsync(r, "alice", ["-tt"], "exit"), "high home LOGIN: alice, shell key, from 127.0.11.1 (new network)."),
            (12, "command", "alice", "publickey", r => world.SshAsync(r, "alice", [], "true"), "high home LOGIN: alice, command key, from 127.0.12.1 (new network)."),
            (13, "none", "alice", "publickey", r => StayAsync(r, "alice"), "high home LOGIN: alice, none key, from 127.0.13.1 (new network)."),
            (14, "remote", "alice", "publickey", r => StayAsync(r, "alice", "-R", $"127.0.0.1:{OwnPlace.FreePort()}:127.0.0.1:1"), "high home LOGIN: alice, remote key, from 127.0.14.1 (new network)."),
            (15, "local", "alice", "publickey", r => StayAsync(r, "alice", "-L", $"127.0.0.1:{OwnPlace.FreePort()}:127.0.0.1:1"), "high home LOGIN: alice, local key, from 127.0.15.1 (new network)."),
            (16, "stdio", "alice", "publickey", r => world.SshAsync(r, "alice", ["-W", $"{world.Server}"]), "high home LOGIN: alice, stdio key, from 127.0.16.1 (new network)."),
            (17, "sftp", "alice", "publickey", r => world.RunAsync("sftp", [.. world.Options(r), "-b", "/dev/null", world.At("alice")]), "high home LOGIN: alice, sftp key, from 127.0.17.1 (new network)."),
            (18, "scp", "alice", "publickey", r => world.RunAsync("scp", [.. world.Options(r), world.File("key.pub"), $"{world.At("alice")}:/dev/null"]), "high home LOGIN: alice, scp key, from 127.0.18.1 (new network)."),
            (19, "oldscp", "alice", "publickey", r => world.RunAsync("scp", ["-O", .. world.Options(r), world.File("key.pub"), $"{world.At("alice")}:/dev/null"]), "high home LOGIN: alice, oldscp key, from 127.0.19.1 (new network)."),
            (20, "rsync", "alice", "publickey", r => world.RunAsync("rsync", "-e", $"ssh {string.Join(' ', world.Options(r))}", world.File("key.pub"), $"{world.At("alice")}:copy"), "high home LOGIN: alice, rsync key, from 127.0.20.1 (new network)."),
            (21, "forced", "force", "publickey", r => world.SshAsync(r, "force", [], "anything"), "critical home LOGIN: force, forced key, from 127.0.21.1 (new user)."),
            (22, "nologin", "gone", "publickey", r => world.SshAsync(r, "gone", [], "true"), "critical home LOGIN: gone, nologin key, from 127.0.22.1 (new user)."),
            (23, "-", "bob", "password", r => world.SshWithPasswordAsync(r, "bob", "right", "-o", "PreferredAuthentications=password"), "critical home LOGIN: bob, BY PASSWORD, from 127.0.23.1 (new network)."),
            (24, "-", "cert", "publickey", r => world.RunAsync("ssh", [.. world.Options(r).Select(o => o == world.File("key") ? world.File("cert-key") : o), world.At("cert"), "true"]), "critical home LOGIN: cert, NEW KEY, from 127.0.24.1 (new network)."),
            (25, "two", "two", "publickey,keyboard-interactive/pam", r => world.SshWithPasswordAsync(r, "two", "right"), "critical home LOGIN: two, two key, from 127.0.25.1 (new user)."),
            (26, "killed", "bob", "publickey", r => world.SshAsync(r, "bob", ["-o", "PermitLocalCommand=yes", "-o", "LocalCommand=kill -9 $PPID"], "true"), "critical home LOGIN: bob, killed key, from 127.0.26.1 (new user)."),
            (27, "shared", "alice", "publickey", r => MultiplexedAsync(world, r), "high home LOGIN: alice, shared key, from 127.0.27.1 (new network)."),
            (28, "locale", "bob", "publickey", r => world.SshAsync(r, "bob", ["-o", $"SetEnv=LC_A={new string('x', 30_000)}"], "true"), "critical home LOGIN: bob, locale key, from 127.0.28.1 (new user)."),
            (29, "jump", "alice", "publickey", r => JumpAsync(world, r), "high home LOGIN: alice, jump key, from 127.0.29.1 (new network)."),
            (30, "subsystem", "alice", "publickey", r => world.SshAsync(r, "alice", ["-s"], "sftp"), "high home LOGIN: alice, subsystem key, from 127.0.30.1 (new network)."),
            (32, "tunnel", "site-other", "publickey", r => StayAsync(r, "site-other", "-R", $"127.0.0.1:{OwnPlace.FreePort()}:127.0.0.1:1"), "critical home LOGIN: site-other, tunnel key, from 127.0.32.1 (new user)."),
        ];
        (int Row, Func<int, Task> Come)[] silent =
        [
            (61, r => world.SshWithPasswordAsync(r, "bob", "wrong", "-o", "PreferredAuthentications=password")),
            (62, r => world.SshAsync(r, "nobody-of-that-name", [], "true")),
            (63, r => world.SshWithPasswordAsync(r, "two", "wrong")),
            (64, r => ConnectAndCloseAsync(world, r)),
        ];
        world = await PamWorld.StartAsync(rows.Where(r => r.Device != "-").ToDictionary(r => r.Row, r => r.Device));
        await using var disposed = world;

        // Those that are in no hurry come first: what is not new may use half of the budget only.
        await world.InsideAsync("su", "-", "alice", "-c", "sudo -n true");
        await world.InsideAsync("script", "-qec", "login -f bob", "/dev/null");
        await world.UntilAsync(() => world.Told.Length >= 3, "su, sudo and the console are told");
        var coming = rows.Select(r => (r.Row, r.Come)).Concat(silent).ToList();
        await Parallel.ForEachAsync(coming, new ParallelOptions { MaxDegreeOfParallelism = 4 }, async (row, _) => await row.Come(row.Row));
        await world.UntilAsync(() => rows.All(r => world.LoginsOf(r.Row) is [{ Sources: Both }, ..]) && world.Logins().Count(l => l.From.Length == 0) >= 3, "all are recorded by both sources");

        Assert.Equal(
            rows.Select(r => $"{r.Row} {r.User} {r.Method} {LoginKind.Ssh} hook {HookSpoke} ambiguous False"),
            rows.SelectMany(r => world.LoginsOf(r.Row).Select(l => $"{r.Row} {l.User} {l.Method} {l.Kind} hook {l.Hook} ambiguous {l.Ambiguous}")));
        Assert.StartsWith("laptop (serial 9) CA x (serial 77) CA ED25519 SHA256:", world.LoginsOf(24)[0].Certificate, StringComparison.Ordinal);
        Assert.All(silent, s => Assert.Empty(world.LoginsOf(s.Row)));
        Assert.Equal(
            ["Console bob by ", "Su alice by root", "Sudo root by alice"],
            world.Logins().Where(l => l.From.Length == 0).Select(l => $"{l.Kind} {l.User} by {l.By}").Order(StringComparer.Ordinal));

        string[] golden =
        [
            "high home LOGIN: alice, by su of root.",
            "high home LOGIN: root, by sudo of alice.",
            "high home LOGIN: bob, at the console.",
            "high home LOGIN: alice, phone key, from 127.0.0.1 (new network).",   // where the jump of row 29 went on to
            .. rows.Select(r => r.Told),
        ];
        await world.UntilAsync(() => world.Told.Length >= golden.Length, "all are told");
        Assert.Equal(golden.Select(g => g + " Not you? Stop VM in cloud app. #ID").Order(StringComparer.Ordinal), world.Told.Select(Lasting).Order(StringComparer.Ordinal));

        async Task StayAsync(int row, string account, params string[] options)
        {
            await using var stays = world.Stay(row, account, options);
            await world.UntilAsync(() => world.LoginsOf(row).Length > 0, $"row {row} is in");
            await stays.StopAsync();
        }
    }

    /// <summary>Without its time (which is not said where the clock is not synchronised) and its id.</summary>
    private static string Lasting(string told) => Regex.Replace(Regex.Replace(told, @" LOGIN \d\d:\d\d:", " LOGIN:"), "#[0-9A-Z]+$", "#ID");

    /// <summary>Over the host and to the host again, as alice both times: two logins.</summary>
    private static async Task JumpAsync(PamWorld world, int row)
    {
        var options = world.Options(row);
        var common = string.Join('\n', options.Zip(options.Skip(1)).Where(o => o.First == "-o" && !o.Second.StartsWith("BindAddress", StringComparison.Ordinal)).Select(o => $"  {o.Second}"));
        await File.WriteAllTextAsync(
            world.File("jump.conf"),
            $"""
            Host first
              HostName {world.Server.Address}
              User alice
              IdentityFile {world.File("key-jump")}
              BindAddress {PamWorld.Address(row)}
            Host second
              HostName {world.Server.Address}
              User alice
              IdentityFile {world.File("key")}
              ProxyJump first
            Host *
            {common}

            """);
        Assert.True((await world.RunAsync("ssh", "-F", world.File("jump.conf"), "second", "true")).Ok);
    }

    [NeedsFact(Needed)]
    public async Task Log_without_hook_is_critical_whatever_became_of_the_hook_and_nobody_is_kept_out()
    {
        await using var world = await PamWorld.StartAsync();
        var variants = new (int Row, string Line)[]
        {
            (31, "session optional pam_exec.so quiet type=open_session /nonexistent/hook"),
            (32, $"session optional pam_exec.so quiet type=open_session {world.File("key.pub")}"),
            (33, $"session optional pam_exec.so quiet type=open_session {Script(world, "fails", "exit 1")}"),
            (34, $"session optional pam_exec.so quiet type=open_session {Script(world, "killed", "kill -9 $$")}"),
            (35, $"session optional pam_exec.so quiet type=open_session {Script(world, "sleeps", "sleep 2")}"),
        };
        var good = (await world.InsideAsync("cat", "/etc/pam.d/sshd")).Output;
        foreach (var (row, line) in variants)
        {
            await SetPamAsync(line);
            var began = TimeProvider.System.GetTimestamp();
            Assert.True((await world.SshAsync(row, "alice", [], "true")).Ok);
            Assert.True(row != 35 || TimeProvider.System.GetElapsedTime(began) >= TimeSpan.FromSeconds(2));
        }

        // A session module that is required and fails does not keep anybody out: it takes the forwarding away.
        await SetPamAsync($"session required pam_exec.so quiet type=open_session {world.File("fails")}");
        Assert.False((await world.SshAsync(36, "alice", ["-N", "-R", $"127.0.0.1:{OwnPlace.FreePort()}:127.0.0.1:1"])).Ok);
        await SetPamAsync(null);
        Assert.True((await world.SshAsync(37, "alice", [], "true")).Ok);

        int[] missing = [31, 32, 33, 34, 35, 36];
        await world.UntilAsync(() => missing.All(r => world.LoginsOf(r) is [{ Hook: HookIsMissing }]), "the hook is missed");
        await world.UntilAsync(() => missing.All(r => Messages(r) > 0), "and that is told");

        Assert.All(missing, r => Assert.Equal(1, Messages(r)));
        Assert.Equal(0, Messages(37));
        Assert.Equal([HookSpoke], world.LoginsOf(37).Select(l => l.Hook));

        int Messages(int row) => world.Gateway.Messages.Count(m => m.Body.Contains($"from {PamWorld.Address(row)} (not seen by PAM)", StringComparison.Ordinal));

        async Task SetPamAsync(string? first)
        {
            var lines = good.Split('\n');
            var ours = Array.FindIndex(lines, l => l.Contains($" {world.File("hook")} ", StringComparison.Ordinal));
            lines[ours] = first ?? lines[ours];
            await File.WriteAllTextAsync(world.File("pam"), string.Join('\n', lines) + "\n");
            Assert.True((await world.InsideAsync("cp", world.File("pam"), "/etc/pam.d/sshd")).Ok);
        }
    }

    [NeedsFact(Needed)]
    public async Task Newest_login_of_a_site_takes_the_port_from_a_frozen_one_and_nobody_else_is_touched()
    {
        await using var world = await PamWorld.StartAsync();
        var forward = $"127.0.0.1:{OwnPlace.FreePort()}:127.0.0.1:1";
        var person = world.Stay(41, "alice");
        var other = world.Stay(42, "site-other", "-R", $"127.0.0.1:{OwnPlace.FreePort()}:127.0.0.1:1");
        var bulk = world.Stay(43, "site-home-bulk");
        var first = world.Stay(44, "site-home", "-R", forward);
        await world.UntilAsync(() => Enumerable.Range(41, 4).All(r => world.LoginsOf(r).Length == 1) && Listens(forward), "all are in");
        Tunnel.TestSshd.Signal(first.Pid, "STOP");

        var second = world.Stay(45, "site-home", "-R", forward);

        await world.UntilAsync(() => world.LoginsOf(45) is [{ Sources: Both }], "the newest is in");
        await world.UntilAsync(() => second.Exited.IsCompleted || Listens(forward), "the newest has the port");
        Tunnel.TestSshd.Signal(first.Pid, "CONT");
        await world.UntilAsync(() => first.Exited.IsCompleted, "the earlier one has ended");
        Assert.False(second.Exited.IsCompleted);
        Assert.Equal(1, world.LoginsOf(45)[0].Evicted);
        Assert.All((IChildProcess[])[person, other, bulk], c => Assert.False(c.Exited.IsCompleted));
        Assert.All((int[])[41, 42, 43, 44], r => Assert.Equal(0, world.LoginsOf(r)[0].Evicted));
    }

    [NeedsFact(Needed)]
    public async Task What_a_user_puts_into_the_environment_does_not_reach_the_hook()
    {
        await using var world = await PamWorld.StartAsync();
        var evil = world.File("home/env/evil");
        Directory.CreateDirectory(evil);
        foreach (var program in (string[])["dd", "mv", "id", "grep", "logger", "rm", "du"])
        {
            await File.WriteAllTextAsync(Path.Combine(evil, program), $"#!/bin/sh\necho caught >>{evil}/caught\n");
            File.SetUnixFileMode(Path.Combine(evil, program), (UnixFileMode)0b111_101_101);
        }

        await File.WriteAllTextAsync(world.File("home/env/.pam_environment"), $"""
            LD_PRELOAD={evil}/preload.so
            IFS=/
            PATH={evil}
            ENV={evil}/dd
            BASH_ENV={evil}/dd
            DOTNET_STARTUP_HOOKS={evil}/hook.dll
            PAM_USER=root
            SSH_AUTH_INFO_0=password
            SSH_CONNECTION=127.0.0.1
            LC_LONG={new string('x', 900)}

            """);

        Assert.True((await world.SshAsync(51, "env", [], "true")).Ok);
        await world.UntilAsync(() => world.LoginsOf(51) is [{ Sources: Both, User: "env", Ambiguous: false }], "it is told as what it is");
        // This is why ours is not run at close: whoever is has the user's LD_PRELOAD, as root.
        await world.UntilAsync(() => File.Exists(world.File("at-close")) && File.ReadAllText(world.File("at-close")).Contains("PAM_TYPE=close_session", StringComparison.Ordinal), "the session has ended");

        Assert.Contains($"LD_PRELOAD={evil}/preload.so", await File.ReadAllTextAsync(world.File("at-close")), StringComparison.Ordinal);
        Assert.False(File.Exists(Path.Combine(evil, "caught")));
        Assert.Single(world.LoginsOf(51));
    }

    private static async Task MultiplexedAsync(PamWorld world, int row)
    {
        var control = world.File("ctl");
        await using var master = world.Stay(row, "alice", "-M", "-S", control);
        await world.UntilAsync(() => File.Exists(control), "the master is in");
        for (var n = 0; n < 5; n++)
        {
            Assert.True((await world.RunAsync("ssh", "-F", "none", "-S", control, "-o", "BatchMode=yes", world.At("alice"), "true")).Ok);
        }

        await master.StopAsync();
    }

    private static async Task ConnectAndCloseAsync(PamWorld world, int row)
    {
        using var tcp = new TcpClient(new IPEndPoint(PamWorld.Address(row), 0));
        await tcp.ConnectAsync(world.Server);
    }

    private static string Script(PamWorld world, string name, string line)
    {
        File.WriteAllText(world.File(name), $"#!/bin/sh\n{line}\n");
        File.SetUnixFileMode(world.File(name), (UnixFileMode)0b111_101_101);
        return world.File(name);
    }

    private static bool Listens(string forward) => Common.Kernel.ProcNetTcp.Parse(File.ReadAllText("/proc/net/tcp")).Any(c => c.Listening && c.Local.Port == int.Parse(forward.Split(':')[1], null));
}
