using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Common.Processes;
using Common.Sync;
using InternalHost.Control;
using InternalHost.Wan.Detection;
using Lab.Demo;
using Lab.World;
using Testing;

namespace Integration.Tests.Sync;

/// <summary>The whole daemon in an outage: a bundle that the bastion refuses is told and the tunnel holds; what a reload changes is pushed.</summary>
public sealed class PeopleOfAnOutageTests
{
    private const string Secret = "s3cr3t-of-this-test-90ab";
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(90);

    [NeedsFact(Need.Ssh | Need.Sshd)]
    public async Task Refused_bundle_is_told_and_the_tunnel_holds_and_a_reload_brings_people_up_to_date()
    {
        var launcher = new SystemProcessLauncher(TimeProvider.System);
        using var folder = RunFolder.Make(keep: false);
        await using var world = await LoopbackDemoWorld.StartAsync(DemoPorts.Bastion, launcher, TimeProvider.System);
        var account = new TwilioAccount();
        await using var cast = await Cast.StartAsync(world, folder, account, TimeProvider.System);
        var site = await DemoSite.PrepareAsync(folder, world, DemoPorts.Find(), account, DemoTimes.Default, launcher, default);
        var standIn = new SyncStandIn(folder.File("sync"));
        standIn.Answer("refused");
        await LetSyncAsync(site, standIn.Program);
        folder.Secret("secrets/mail_password", Secret + "\n");
        await ChangeAsync(site, "outage:\n", "outage:\n  confirm_after: 3s\n  recover_after: 3s\n");
        await ChangeAsync(site, "  cloud: local\n", $"  cloud: local\n  sync: {DemoSite.User}\n");
        await ChangeAsync(site, "messages:\n", "messages:\n  mail: {host: mail.example.net, user: home, secret: mail_password, from: home@example.net, to: alice@example.net}\n");
        await ChangeAsync(site, $"people:\n  {DemoSite.Person}:\n", "people:\n  alice:\n");
        await cast.StartHomeAsync(site, world, TimeProvider.System, default);
        await cast.StartCloudAsync(site, world, default);
        cast.StartDaemon(site, world);
        var watch = new StatusWatch(site.ControlSocket, TimeProvider.System);

        await UntilAsync(watch, s => s is { Controller.State: "Standby", Uplinks: { Primary.State: UplinkState.Up, Backup.Usable: Usable.Yes } });
        await world.CutPrimaryAsync(default);
        var refused = await UntilAsync(watch, s => s is { Controller.State: "Serving", People.Refusal: not null } && Told("old keys of people") && Told("ssh "));

        Assert.Equal("Invalid", refused.People!.Refusal);
        Assert.Contains("port 5 is outside the block", refused.People.Detail, StringComparison.Ordinal);
        Assert.Null(refused.People.Bundle);
        Assert.NotNull(refused.Tunnel.VerifiedAgeS);
        Assert.Single(cast.Messages, m => m.Body.Contains("old keys of people, or none: it says port 5 is outside the block. The tunnel holds", StringComparison.Ordinal));
        Assert.Single(cast.Messages, m => m.Body.Contains("ssh ", StringComparison.Ordinal));

        standIn.Answer("ok");
        await ChangeAsync(site, "people:\n", $"people:\n  bob: {{devices: {{phone: {site.HostKey}}}}}\n");
        Assert.True((await launcher.RunAsync(Programs.InternalHost("reload", "--config", site.ConfigurationFile), default)).Ok);
        var taken = await UntilAsync(watch, s => s.People is { Bundle: not null, Refusal: null });

        var last = JsonSerializer.Deserialize(
            await standIn.VerifiedAsync(standIn.Received[^1], await File.ReadAllTextAsync(folder.File("site-key.pub"))), BundleJson.Default.Bundle)!;
        Assert.Equal(taken.People!.Bundle, last.Number);
        Assert.Equal(["bob", "alice"], last.People.Select(p => p.Name));
        Assert.Equal(Secret, last.Secrets["mail_secret"]);
        Assert.Equal(refused.Tunnel.Run, taken.Tunnel.Run);
        AssertNoSecret(folder);
        await cast.Daemon.StopAsync(Patience);

        bool Told(string words) => cast.Messages.Any(m => m.Body.Contains(words, StringComparison.Ordinal));
    }

    /// <summary>The VM's sshd has one account, so all its sessions are the sync's; the tunnel has none.</summary>
    private static async Task LetSyncAsync(DemoSite site, string program)
    {
        var file = Path.Combine(site.CloudFolder, "cloud.json");
        var cloud = JsonNode.Parse(await File.ReadAllTextAsync(file))!;
        cloud["sshd_config"]!.AsArray().Insert(0, $"ForceCommand {program}");
        await File.WriteAllTextAsync(file, cloud.ToJsonString());
    }

    private static async Task ChangeAsync(DemoSite site, string from, string to)
    {
        var yaml = await File.ReadAllTextAsync(site.ConfigurationFile);
        Assert.Contains(from, yaml, StringComparison.Ordinal);
        await File.WriteAllTextAsync(site.ConfigurationFile, yaml.Replace(from, to, StringComparison.Ordinal));
    }

    private static async Task<StatusReport> UntilAsync(StatusWatch watch, Func<StatusReport, bool> satisfied)
    {
        using var limit = new CancellationTokenSource(Patience);
        try
        {
            return await watch.UntilAsync(satisfied, limit.Token);
        }
        catch (OperationCanceledException e)
        {
            throw new TimeoutException($"last status: {watch.Last}", e);
        }
    }

    /// <summary>Neither logs nor journals nor the other files of the site know it.</summary>
    private static void AssertNoSecret(RunFolder folder)
    {
        var files = Directory.EnumerateFiles(folder.Path, "*", new EnumerationOptions { RecurseSubdirectories = true, AttributesToSkip = FileAttributes.None })
            .Where(f => Path.GetFileName(f) != "mail_password" && !f.StartsWith(folder.File("sync"), StringComparison.Ordinal) && File.GetUnixFileMode(f) != UnixFileMode.None)
            .Where(f => Path.GetExtension(f) is not (".sock" or ".s" or ".h" or ".d" or ".l" or ".lock") && Path.GetFileName(f) != "lock")
            .ToList();
        Assert.Contains(files, f => f.EndsWith("state.db", StringComparison.Ordinal));
        Assert.Contains(files, f => f.EndsWith("internalhost.log", StringComparison.Ordinal));
        Assert.All(files, f => Assert.DoesNotContain(Secret, Encoding.Latin1.GetString(File.ReadAllBytes(f)), StringComparison.Ordinal));
    }
}
