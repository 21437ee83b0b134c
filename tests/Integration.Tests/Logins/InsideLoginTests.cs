using System.Net;
using Common.Journal;
using Common.Processes;
using Integration.Tests.Cloud;
using InternalHost.Cloud.Local;
using InternalHost.Control;
using Lab.Demo;
using Lab.World;
using Microsoft.Data.Sqlite;
using Testing;

namespace Integration.Tests.Logins;

/// <summary>Logins to the inside on a real sshd with real PAM, seen by a real daemon with a real tunnel: what is told of each, and by which host.</summary>
public sealed class InsideLoginTests
{
    private const Need Needed = Need.Ssh | Need.Sshd | Need.Root | Need.PamWorld;
    private const int Confirmed = 7;

    /// <summary>Somebody at this machine who is not us: nobody.</summary>
    private const string Other = "65534";
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(120);

    [NeedsFact(Needed)]
    public async Task Each_kind_of_login_to_the_inside_is_told_once_and_by_one_host()
    {
        var launcher = new SystemProcessLauncher(TimeProvider.System);
        using var folder = RunFolder.Make(keep: false);
        using var place = new OwnPlace();
        await using var inner = await PamHost.StartAsync(place.Folder, launcher, new CancellationTokenSource(Patience).Token);
        await using var world = await LoopbackDemoWorld.StartAsync(DemoPorts.Bastion, launcher, TimeProvider.System);
        var account = new TwilioAccount();
        await using var cast = await Cast.StartAsync(world, folder, account, TimeProvider.System);
        var guest = await SshKeygen.EnsurePairAsync(folder.File("guest"), launcher, default);
        var site = await DemoSite.PrepareAsync(
            folder, world, DemoPorts.Find(), account, DemoTimes.Default, launcher, default, $"restrict,port-forwarding {guest.Line}");
        var owner = await File.ReadAllTextAsync($"{site.OwnerKey}.pub");
        foreach (var name in (string[])["alice", "bob", "force", "cert"])
        {
            await File.WriteAllTextAsync(place.File($"keys/{name}"), name == "bob" ? guest.Line + "\n" : owner);
        }

        folder.Secret("secrets/agent_key", account.Secret + "\n");
        await ChangeAsync(folder.File("agent.yaml"), "secrets/twilio_key", "secrets/agent_key");
        await ChangeAsync(site.ConfigurationFile, $"  ssh: {world.Places.HomeLoopback}:2222\n", $"  ssh: {inner.Server}\n");
        await ChangeAsync(site.ConfigurationFile, "logins: {log: none, spool: none}\n", $"logins: {{log: {inner.LogFile}, spool: {place.File("spool/bastion")}}}\n");
        await cast.StartCloudAsync(site, world, default);
        cast.StartDaemon(site, world);
        var watch = new StatusWatch(site.ControlSocket, TimeProvider.System);
        await StatusAsync(watch, s => s is { Logins: { Hook: true, Problem: null } }, "logins are seen");
        Assert.True((await RunAsync(Programs.InternalHost("open", "--for", "1h", "--config", site.ConfigurationFile))).Ok);
        var serving = await StatusAsync(watch, s => s is { Controller.State: "Serving", Tunnel: { VerifiedAgeS: not null, Forwards: [{ State: "open" }] } }, "the way in is open");
        var forward = $"{serving.Tunnel.Forwards[0].Port}";

        // Straight into the bastion's end of the tunnel, as somebody does who owns the bastion and has not logged in there.
        Assert.True((await RunAsync(Ssh(site.OwnerKey, "alice@127.0.0.1", "-p", forward))).Ok);
        await ToldAsync(1, ": root, laptop key, through the tunnel (NO LOGIN AT BASTION). Not you? Stop VM bastion-home in cloud app.");

        // At the machine itself, by somebody else's process: neither the tunnel nor exempt.
        var other = Directory.CreateTempSubdirectory("other-").FullName;
        File.SetUnixFileMode(other, (UnixFileMode)0b111_101_101);
        Assert.True((await RunAsync(new ProcessSpec("install", ["-m", "600", "-o", Other, folder.File("guest"), Path.Combine(other, "key")]))).Ok);
        var here = Ssh(Path.Combine(other, "key"), $"bob@{inner.Server.Address}", "-p", $"{inner.Server.Port}");
        Assert.True((await RunAsync(new ProcessSpec("setpriv", [$"--reuid={Other}", $"--regid={Other}", "--clear-groups", here.Program, .. here.Arguments]))).Ok);
        Directory.Delete(other, recursive: true);
        await ToldAsync(2, ": bob, NEW KEY, from 127.");

        // By the bastion's door, and the owner has read of it: the inside records, and is silent.
        var bastion = $"{DemoSite.User}@{world.Places.Bastion}";
        await using (var stays = launcher.Start(Ssh(site.OwnerKey, bastion, "-p", $"{DemoPorts.Bastion[0]}", "-N"), (_, _) => { }))
        {
            await ToldAsync(3, "Stop VM bastion-home");
            await UntilAsync(() => Count(folder.File("agent/bastion.db"), $"SELECT count(*) FROM deliveries WHERE phase = {Confirmed}") == 1, "the bastion's alert has arrived");
            Assert.True((await RunAsync(Jump("force"))).Ok);
            await UntilAsync(() => Count(folder.File("state/state.db"), "SELECT count(*) FROM logins WHERE user = 'force' AND awaits = 0 AND told = 0 AND silence LIKE 'told by the bastion%'") == 1, "it is folded");
            await stays.StopAsync();
        }

        // By the bastion's door, whose gateway refuses it: the inside tells.
        await File.WriteAllTextAsync(folder.File("secrets/agent_key"), "wrong\n");
        await using (var stays = launcher.Start(Ssh(folder.File("guest"), bastion, "-p", $"{DemoPorts.Bastion[0]}", "-N"), (_, _) => { }))
        {
            await UntilAsync(() => Count(folder.File("agent/bastion.db"), "SELECT count(*) FROM logins WHERE flags & 2") == 1, "the guest is in");
            Assert.True((await RunAsync(Ssh(site.OwnerKey, "cert@127.0.0.1", "-p", forward))).Ok);
            await ToldAsync(4, ", got inside. Not you? Stop VM bastion-home in cloud app.");
            await stays.StopAsync();
        }

        // One record each, by both sources, and none awaited for ever.
        await UntilAsync(() => Count(folder.File("state/state.db"), "SELECT count(*) FROM logins WHERE sources = 3 AND hook = 2 AND awaits = 0") == 4, "all are recorded by both sources");
        Assert.Equal(4, Logins().Count);
        var list = await RunAsync(Programs.InternalHost("alerts", "list", "--json", "--config", site.ConfigurationFile));
        Assert.Contains("told by the bastion\\u0027s #", list.Output, StringComparison.Ordinal);

        // The daemon's own way to the owner, asked of the running one.
        var test = await RunAsync(Programs.InternalHost("alerts", "test", "--config", site.ConfigurationFile));
        Assert.True(test.Ok, $"{test.Output}\n{test.Error}");
        Assert.Matches(@"\bsms\s+confirmed\b", test.Output);
        Assert.Contains(cast.Messages, m => m.Body.StartsWith("home: test by sms. Nothing has happened. #", StringComparison.Ordinal));
        await cast.Daemon.StopAsync(Patience);

        // As people come: -J over the bastion, end to end to the host inside.
        ProcessSpec Jump(string account)
        {
            File.WriteAllText(
                folder.File("jump.conf"),
                $"""
                Host bastion
                  HostName {world.Places.Bastion}
                  Port {DemoPorts.Bastion[0]}
                  User {DemoSite.User}
                Host inside
                  HostName 127.0.0.1
                  Port {forward}
                  User {account}
                  ProxyJump bastion
                Host *
                  IdentityFile {site.OwnerKey}
                  BatchMode yes
                  IdentitiesOnly yes
                  IdentityAgent none
                  StrictHostKeyChecking no
                  UserKnownHostsFile /dev/null
                  LogLevel ERROR

                """);
            return new ProcessSpec("ssh", ["-F", folder.File("jump.conf"), "inside", "true"]);
        }

        List<string> Logins() => [.. cast.Messages.Select(m => m.Body).Where(b => b.Contains(" LOGIN ", StringComparison.Ordinal))];

        async Task ToldAsync(int count, string words)
        {
            await UntilAsync(() => Logins().Count >= count, $"{count} logins are told");
            Assert.Contains(words, Logins()[count - 1], StringComparison.Ordinal);
            Assert.Equal(count, Logins().Count);
        }

        async Task<ProcessResult> RunAsync(ProcessSpec spec) => await launcher.RunAsync(spec, new CancellationTokenSource(Patience).Token);

        async Task UntilAsync(Func<bool> condition, string what)
        {
            using var limit = new CancellationTokenSource(Patience);
            while (!condition())
            {
                if (limit.IsCancellationRequested)
                {
                    throw new TimeoutException($"not in time: {what}. Told: {string.Join('\n', Logins())}\nThe daemon said:\n{cast.LastLines("internalhost.log")}");
                }

                await Task.Delay(TimeSpan.FromMilliseconds(100));
            }
        }
    }

    /// <summary>One command, or what <paramref name="more"/> says.</summary>
    private static ProcessSpec Ssh(string key, string whom, params string[] more) => new(
        "ssh",
        [
            "-F", "none", "-i", key, "-o", "BatchMode=yes", "-o", "IdentitiesOnly=yes", "-o", "IdentityAgent=none", "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null",
            "-o", "LogLevel=ERROR", .. more, whom, .. more.Contains("-N") ? Array.Empty<string>() : ["true"],
        ]);

    private static int Count(string file, string sql)
    {
        try
        {
            using var database = Database.Peek(file);
            return database.Sql(sql).List(r => r.GetInt32(0))[0];
        }
        catch (SqliteException)
        {
            return -1;   // not there yet, or being written
        }
    }

    private static async Task<StatusReport> StatusAsync(StatusWatch watch, Func<StatusReport, bool> satisfied, string what)
    {
        using var limit = new CancellationTokenSource(Patience);
        try
        {
            return await watch.UntilAsync(satisfied, limit.Token);
        }
        catch (OperationCanceledException e)
        {
            throw new TimeoutException($"not in time: {what}. Last status: {watch.Last}", e);
        }
    }

    private static async Task ChangeAsync(string file, string from, string to)
    {
        var text = await File.ReadAllTextAsync(file);
        Assert.Contains(from, text, StringComparison.Ordinal);
        await File.WriteAllTextAsync(file, text.Replace(from, to, StringComparison.Ordinal));
    }
}
