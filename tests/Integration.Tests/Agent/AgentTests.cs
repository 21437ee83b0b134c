using System.Net;
using System.Net.Sockets;
using System.Text;
using Common.Agent;
using Common.Processes;
using Lab.World;
using Testing;

namespace Integration.Tests.Agent;

/// <summary>The agent beside a real sshd: what the owner gets to read, and what the inside gets to know.</summary>
public sealed class AgentTests
{
    private const Need Ssh = Need.Ssh | Need.Sshd;

    [NeedsFact(Ssh)]
    public async Task Every_kind_of_login_is_exactly_one_message_and_a_tunnel_or_a_repeat_none()
    {
        await using var world = await AgentWorld.StartAsync();
        var told = 0;

        await DoneAsync(world.LoginAsync("alice"), ++told);
        await DoneAsync(world.LoginAsync("bob", "-tt"), ++told);
        await DoneAsync(world.Ssh("carol").RunAsync(world.Server, ["-W", $"{IPAddress.Loopback}:{world.AgentPort}"], []), ++told);
        await DoneAsync(SftpAsync(world, "dave"), ++told);
        await DoneAsync(world.LoginAsync("stranger"), ++told);
        var stays = world.Stay("erin");
        await world.MessagesAreAsync(++told);
        world.Stay("site");
        await world.LoginAsync("alice");
        await world.LoginAsync("nobody");
        await world.UntilAsync(() => Task.FromResult(world.Logins().Count == told + 2), "the site's login and the repeat are recorded too");
        await world.UntilAsync(async () => (await world.AskAsync("health"))?.Outbox == 0, "all is confirmed");

        var logins = world.Logins();
        Assert.Equal(logins.Where(l => l.Told).Select(l => l.Id).Order(), world.Gateway.Messages.Select(m => m.AlertId).Order());
        Assert.Equal(["alice", "home"], logins.Where(l => !l.Told).Select(l => l.Name).Order());
        Assert.Equal(told, world.Gateway.Messages.Length);
        Assert.Single(world.Gateway.Messages, m => m.Body.Contains("NEW KEY", StringComparison.Ordinal));
        Assert.All(AgentWorld.People, p => Assert.Single(world.Gateway.Messages, m => m.Body.Contains($"{p}, phone key, from 127.", StringComparison.Ordinal)));
        Assert.Equal(told, world.Gateway.Messages.Count(m => m.Body.Contains("new network", StringComparison.Ordinal)));
        await stays.StopAsync();

        async Task DoneAsync(Task<ProcessResult> login, int messages)
        {
            await login;
            await world.MessagesAreAsync(messages);
        }
    }

    [NeedsFact(Ssh)]
    public async Task Sessions_rise_and_fall_with_the_connections_whatever_ends_them()
    {
        await using var world = await AgentWorld.StartAsync();
        Assert.Equal(0, (await world.AskAsync("sessions"))!.Sessions);

        world.Stay("site");
        var first = world.Stay("alice");
        var second = world.Stay("alice");
        await world.SessionsAreAsync(2);
        var who = (await world.AskAsync("sessions"))!;
        Assert.All(who.Who!, s => Assert.Equal(("alice", "phone"), (s.Name, s.Device)));
        Assert.All(who.Who!, s => Assert.InRange(s.AgeSeconds, 0, 60));
        Assert.Equal(2, who.Logins);

        await first.StopAsync();
        await world.SessionsAreAsync(1);

        await world.KillAgentAsync();
        await world.StartAgentAsync();
        await world.SessionsAreAsync(1);

        Kill(second);
        await world.SessionsAreAsync(0);
    }

    [NeedsFact(Ssh)]
    public async Task Events_tell_who_came_who_is_there_and_what_became_of_each_alert_and_egress_from_where_the_site_comes()
    {
        await using var world = await AgentWorld.StartAsync();
        Assert.Empty((await world.AskAsync("events"))!.Events!);
        Assert.Null((await world.AskAsync("egress"))!.Egress);

        var alice = world.Stay("alice");
        await world.MessagesAreAsync(1);
        world.Stay("site");
        await world.UntilAsync(() => Task.FromResult(world.Logins().Count == 2), "the site has come");
        await world.LoginAsync("alice");
        await world.UntilAsync(async () => await world.AskAsync("events") is { Events: [{ Told: "confirmed" }, _, { Open: false }] }, "three came, and one has gone");
        await world.Gateway.GoDownAsync();
        await world.LoginAsync("bob");
        await world.UntilAsync(() => Task.FromResult(world.Logins().Count == 4), "bob has come");

        var events = (await world.AskAsync(new AgentRequest("events") { Since = 0 }))!;
        var told = world.Logins().First(l => l.Told).Id;
        Assert.Equal(4, events.Last);
        Assert.Equal(
            [("alice", "person", true, told, "confirmed"), ("home", "site", true, null, null), ("alice", "person", false, told, "confirmed")],
            events.Events!.Where(e => e.Name != "bob").Select(e => (e.Name, e.Role, e.Open, e.Alert, e.Told)));
        var bob = Assert.Single((await world.AskAsync(new AgentRequest("events") { Since = 3 }))!.Events!);
        Assert.Equal(("bob", "phone", "ssh", "127.0.0.1", "pending"), (bob.Name, bob.Device, bob.Kind, bob.From, bob.Told));
        Assert.Equal(events.Events![0].Number, Assert.Single((await world.AskAsync("sessions"))!.Who!).Event);
        Assert.Equal("127.0.0.1", (await world.AskAsync("egress"))!.Egress);

        await alice.StopAsync();
        await world.UntilAsync(async () => await world.AskAsync("events") is { Events: [{ Open: false, EndedSeconds: >= 0 }, ..] }, "alice has gone");
    }

    [NeedsFact(Ssh)]
    public async Task Killed_agent_loses_and_doubles_no_alert()
    {
        await using var world = await AgentWorld.StartAsync();
        var random = new Random(4);
        const int Rounds = 4;
        for (var round = 0; round < Rounds; round++)
        {
            world.Gateway.Behaviour = new GatewayBehaviour { AnswerDelay = TimeSpan.FromMilliseconds(random.Next(200)), LoseReplies = random.Next(2) };
            var login = world.LoginAsync(AgentWorld.People[round]);
            var kill = KillAfterAsync(world, TimeSpan.FromMilliseconds(random.Next(700)));
            Assert.True((await login).Ok);
            await kill;
            await world.StartAgentAsync();
        }

        world.Gateway.Behaviour = new GatewayBehaviour();
        await world.UntilAsync(() => Task.FromResult(world.Gateway.Messages.Length >= Rounds), "all are at the gateway", TimeSpan.FromMinutes(2));
        await world.UntilAsync(async () => await world.AskAsync("health") is { Outbox: 0 } && world.Logins().Count == Rounds, "all is confirmed", TimeSpan.FromMinutes(2));
        Assert.Equal(world.Logins().Select(l => l.Id).Order(), world.Gateway.Messages.Select(m => m.AlertId).Order());
    }

    [NeedsFact(Ssh)]
    public async Task Rotation_in_the_middle_loses_nothing()
    {
        await using var world = await AgentWorld.StartAsync();
        var logins = 0;
        async Task LoginAsync()
        {
            Assert.True((await world.LoginAsync(AgentWorld.People[logins++])).Ok);
        }

        await LoginAsync();
        await world.MessagesAreAsync(logins);
        File.Copy(world.LogFile, world.LogFile + ".1");
        using (var log = new FileStream(world.LogFile, FileMode.Open, FileAccess.Write, FileShare.ReadWrite | FileShare.Delete))
        {
            log.SetLength(0);   // copytruncate
        }

        await LoginAsync();
        await world.MessagesAreAsync(logins);
        File.Move(world.LogFile, world.LogFile + ".2");   // and the writer is never told
        await File.WriteAllTextAsync(world.LogFile, "");
        await LoginAsync();
        await world.MessagesAreAsync(logins);
        await world.KillAgentAsync();
        await LoginAsync();
        await world.StartAgentAsync();
        await world.MessagesAreAsync(logins);

        await world.UntilAsync(async () => await world.AskAsync("health") is { Outbox: 0 }, "all is confirmed");
        Assert.Equal(logins, world.Gateway.Messages.Length);
        Assert.All(world.Gateway.Messages, m => Assert.Contains("LOGIN", m.Body, StringComparison.Ordinal));
    }

    [NeedsFact(Ssh)]
    public async Task Drain_keeps_people_out_and_sites_in_until_undrain()
    {
        await using var world = await AgentWorld.StartAsync();
        var alice = world.Stay("alice");
        await world.SessionsAreAsync(1);

        var occupied = (await world.AskAsync("drain"))!;
        Assert.Equal((true, false, 1), (occupied.Ok, occupied.Drained, occupied.Sessions));
        Assert.True(File.Exists(world.Nologin));
        Assert.False((await world.LoginAsync("alice")).Ok);
        var site = world.Stay("site");
        await world.UntilAsync(() => Task.FromResult(world.Logins().Exists(l => l.Name == "home")), "the site comes back in");

        await alice.StopAsync();
        await world.UntilAsync(async () => (await world.AskAsync("drain"))!.Drained, "it is drained");
        Assert.False(site.Exited.IsCompleted);

        Assert.True((await world.AskAsync("undrain"))!.Ok);
        Assert.False(File.Exists(world.Nologin));
        Assert.True((await world.LoginAsync("alice")).Ok);
    }

    [NeedsFact(Ssh)]
    public async Task Not_drained_while_an_alert_is_on_its_way()
    {
        await using var world = await AgentWorld.StartAsync();
        await world.Gateway.GoDownAsync();
        await world.LoginAsync("alice");
        await world.UntilAsync(async () => await world.AskAsync("drain") is { Sessions: 0, Outbox: 1, Drained: false }, "the alert waits");

        await world.Gateway.GoUpAsync();

        await world.UntilAsync(async () => (await world.AskAsync("drain"))!.Drained, "it is drained once the owner has been told");
        Assert.Single(world.Gateway.Messages);
    }

    [NeedsFact(Ssh)]
    public async Task Garbage_on_the_port_changes_nothing_and_sigterm_ends_it_well()
    {
        await using var world = await AgentWorld.StartAsync();
        var random = new Random(9);
        for (var n = 0; n < 40; n++)
        {
            using var tcp = new TcpClient();
            await tcp.ConnectAsync(IPAddress.Loopback, world.AgentPort);
            var bytes = new byte[random.Next(1, 100_000)];
            random.NextBytes(bytes);
            try
            {
                await tcp.GetStream().WriteAsync(bytes);
            }
            catch (IOException)
            {
                // hung up on
            }
        }

        await world.UntilAsync(async () => await world.AskAsync("sessions") is { Ok: true, Sessions: 0 }, "it answers");
        Assert.Contains("unknown op", (await world.AskAsync("reboot"))!.Error, StringComparison.Ordinal);
        var exit = await world.StopAgentAsync();

        Assert.Equal(0, exit.Code);
    }

    [NeedsFact(Ssh)]
    public async Task Agent_stopped_while_the_gateway_is_dead_ends_well_and_the_next_one_tells()
    {
        await using var world = await AgentWorld.StartAsync();
        await world.Gateway.GoDownAsync();
        await world.LoginAsync("alice");
        await world.UntilAsync(async () => await world.AskAsync("health") is { Outbox: 1 }, "the alert waits");

        var exit = await world.StopAgentAsync();
        await world.Gateway.GoUpAsync();
        await world.StartAgentAsync();

        Assert.Equal(0, exit.Code);
        await world.MessagesAreAsync(1);
    }

    [NeedsFact(Ssh)]
    public async Task Second_agent_on_the_same_state_is_refused_and_bad_settings_end_with_2()
    {
        await using var world = await AgentWorld.StartAsync();
        var config = Path.Combine(Path.GetDirectoryName(world.Nologin)!, "..", "agent.json");

        var second = await RunAsync(world, "agent", "--config", config);
        File.AppendAllText(config, "x");
        var bad = await RunAsync(world, "agent", "--config", config);

        Assert.Equal(1, second.Exit.Code);
        Assert.Contains("in use", second.Error, StringComparison.Ordinal);
        Assert.Equal(2, bad.Exit.Code);
        Assert.NotNull(await world.AskAsync("health"));
    }

    private static Task<ProcessResult> RunAsync(AgentWorld world, params string[] arguments) =>
        world.Launcher.RunAsync(new ProcessSpec("dotnet", [Path.Combine(AppContext.BaseDirectory, "bastion.dll"), .. arguments]), new CancellationTokenSource(AgentWorld.Patience).Token);

    private static async Task KillAfterAsync(AgentWorld world, TimeSpan delay)
    {
        await Task.Delay(delay);
        await world.KillAgentAsync();
    }

    private static void Kill(IChildProcess child) => System.Diagnostics.Process.GetProcessById(child.Pid).Kill();

    private static Task<ProcessResult> SftpAsync(AgentWorld world, string who) => world.Ssh(who).RunAsync(world.Server, ["-s"], ["sftp"]);
}
