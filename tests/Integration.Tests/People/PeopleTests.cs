using System.Text;
using Common.Processes;
using Common.Sync;
using Testing;

namespace Integration.Tests.People;

/// <summary>People by bundles, on a real sshd with real PAM and accounts. One room for all: each test pushes the bundles that it stands on.</summary>
public sealed class PeopleTests : IClassFixture<PeopleTests.Rooms>
{
    private const Need Needed = Need.Root | Need.Sshd | Need.Ssh | Need.NetworkNamespaces | Need.Nft;
    private const string Banner = "SSH-2.0-OpenSSH";
    private const string Refused = "administratively prohibited";

    private readonly PeopleRoom _room;

    public PeopleTests(Rooms rooms) => _room = rooms.Room;

    [NeedsFact(Needed)]
    public async Task Person_of_a_bundle_jumps_to_the_services_permitted_and_to_nothing_else()
    {
        var bundle = Home(("alice", [22001], ["phone"]));
        var reply = await _room.PushAsync(bundle);

        Assert.Equal((true, null, bundle.Number), (reply.Ok, reply.Error, reply.Number!.Value));
        Assert.Contains(Bundle.CurrentFormat, reply.Formats);
        Assert.StartsWith(Banner, await _room.JumpAsync("phone", "alice", 22001));
        foreach (var port in (int[])[22002, 22101, 49020, 49022])
        {
            Assert.Contains(Refused, await _room.JumpAsync("phone", "alice", port));
        }

        Assert.Contains("Permission denied", await _room.JumpAsync("laptop", "alice", 22001));
        Assert.False((await _room.Room.ShellAsync(PeopleRoom.Ssh("phone", "alice", "-N -o ExitOnForwardFailure=yes -R 127.0.0.1:22003:127.0.0.1:22"))).Ok);
        Assert.DoesNotContain("uid=", (await _room.Room.ShellAsync($"{PeopleRoom.Ssh("phone", "alice")} id")).Output);
        Assert.Equal("640 root bastion", (await _room.Room.DoAsync("stat -c '%a %U %G' /run/bastion-sites/home.json")).Trim());
        Assert.Equal("alice:x:/nonexistent:/bin/sh", (await _room.Room.DoAsync("getent passwd alice | cut -d: -f1,2,6,7")).Trim());
        Assert.Contains("nothing to change", await _room.Room.DoAsync("bastion install"));
    }

    /// <summary>Whatever is asked for; the agent says since when, the kernel what is there.</summary>
    [NeedsFact(Needed)]
    public async Task Plain_login_is_answered_by_one_sentence()
    {
        var bundle = Home(("alice", [22001, 22003], ["phone"]), ("bob", [22003], ["other"])) with { Services = [new("ssh", 22001), new("console", 22003)] };
        Assert.True((await _room.PushAsync(bundle)).Ok);
        await _room.StartAgentAsync();
        await _room.Room.UntilAsync(async () => (await _room.Room.ShellAsync("grep -q console /run/bastion/sites.json")).Ok, "the agent has the bundle");

        foreach (var command in (string[])["", " id", " 'scp -t /tmp'"])
        {
            var result = await _room.Room.ShellAsync($"{PeopleRoom.Ssh("phone", "alice")}{command}");
            var said = result.Output + result.Error;
            Assert.True(result.Exit.Code == 0 && said.Contains("home: way in open", StringComparison.Ordinal) && said.Contains("; you may jump to ssh (22001).", StringComparison.Ordinal), $"{command}: exit {result.Exit.Code}: {said}");
            Assert.Equal(command.Contains("scp", StringComparison.Ordinal), result.Output.Length == 0);
        }

        // sshd drops what is said beside a subsystem's protocol: sftp says "Connection closed".
        Assert.Equal("", (await _room.Room.ShellAsync($"{PeopleRoom.Ssh("phone", "alice")} -s sftp")).Output);
        var bob = await _room.Room.ShellAsync(PeopleRoom.Ssh("other", "bob"));
        Assert.Contains("nothing", bob.Output);
        Assert.Contains("to reach yet.", bob.Output);
        Assert.Equal("700 root root", (await _room.Room.DoAsync("stat -c '%a %U %G' /run/bastion/secrets/home")).Trim());
    }

    /// <summary>sshd says nothing of a permitted jump: the firewall does.</summary>
    [NeedsFact(Needed)]
    public async Task Who_reached_which_service_is_on_record()
    {
        Assert.True((await _room.PushAsync(Home(("alice", [22001, 22002], ["phone"]), ("carol", [22001], ["other"])) with { Services = [new("ssh", 22001), new("console", 22002)] })).Ok);
        await _room.StartAgentAsync();
        await _room.Room.UntilAsync(async () => (await _room.Room.ShellAsync("grep -q console /run/bastion/sites.json")).Ok, "the agent has the bundle");

        Assert.StartsWith(Banner, await _room.JumpAsync("phone", "alice", 22002));
        Assert.StartsWith(Banner, await _room.JumpAsync("other", "carol", 22001));
        Assert.Contains(Refused, await _room.JumpAsync("other", "carol", 22002));

        await _room.Room.UntilAsync(async () => (await ReachedAsync()).Contains("carol", StringComparison.Ordinal), "the visits are on record");
        var lines = (await ReachedAsync()).Split('\n').Select(l => System.Text.Json.Nodes.JsonNode.Parse(l)!).ToList();
        var alice = lines.First(l => (string?)l["person"] == "alice" && (int)l["port"]! == 22002);
        var carol = Assert.Single(lines, l => (string?)l["person"] == "carol");
        Assert.Equal(("home", "console"), ((string?)alice["site"], (string?)alice["service"]));
        Assert.Equal(("home", "ssh", 22001), ((string?)carol["site"], (string?)carol["service"], (int)carol["port"]!));
        Assert.DoesNotContain(lines, l => ((string?)l["person"])!.StartsWith("site-", StringComparison.Ordinal) || (string?)l["person"] == "root");
    }

    private Task<string> ReachedAsync() => _room.Room.DoAsync("/usr/bin/bastion reached --json --count 1000");

    /// <summary>Nothing is changed by what is not signed, not new, not whole or not this site's to say.</summary>
    [NeedsFact(Needed)]
    public async Task Refused_bundle_changes_nothing()
    {
        var good = Home(("alice", [22001], ["phone"]));
        Assert.True((await _room.PushAsync(good)).Ok);
        var before = await _room.StateAsync();
        var next = Home(("alice", [22001, 22002], ["phone", "other"]), ("bob", [22001], ["laptop"]));
        var signed = await _room.SignedAsync(next, "home");
        var bytes = await File.ReadAllBytesAsync(_room.Room.Seen(signed));

        (string File, string Refusal)[] refused =
        [
            (await _room.SignedAsync(next with { Number = good.Number }, "home"), SyncRefusal.Old),
            (await _room.SignedAsync(next with { Number = 1 }, "home"), SyncRefusal.Old),
            (await _room.SignedAsync(next, "work"), SyncRefusal.NotSigned),
            (await _room.SignedAsync(next with { Site = "nowhere" }, "home"), SyncRefusal.NotSigned),
            (await _room.SignedAsync(next, "other"), SyncRefusal.NotSigned),
            (await _room.SignedAsync(next, "home", use: "file"), SyncRefusal.NotSigned),
            (await _room.SignedAsync(next with { Format = 2 }, "home"), SyncRefusal.Format),
            (await _room.SignedAsync(next with { People = [Person("alice", [22101], ["phone"])] }, "home"), SyncRefusal.Invalid),
            (await _room.SignedAsync(next with { People = [Person("alice", [22016], ["phone"])] }, "home"), SyncRefusal.Invalid),
            (await _room.SignedAsync(next with { People = [Person("daemon", [22001], ["phone"])] }, "home"), SyncRefusal.Invalid),
            (await _room.SignedAsync(next with { People = [Person("alice", [22001], ["work"])] }, "home"), SyncRefusal.Invalid),
            (await FileAsync(bytes[..^1]), SyncRefusal.NotSigned),
            (await FileAsync(bytes[..^40]), SyncRefusal.Broken),
            (await FileAsync(bytes[(bytes.Length / 2)..]), SyncRefusal.Broken),
            (await FileAsync([]), SyncRefusal.Broken),
            (await FileAsync([.. bytes, .. new byte[SignedBundle.LongestBytes]]), SyncRefusal.Broken),
            (await FileAsync(Encoding.UTF8.GetBytes(Encoding.UTF8.GetString(bytes).Replace("22002", "22003", StringComparison.Ordinal))), SyncRefusal.NotSigned),
        ];
        foreach (var (file, refusal) in refused)
        {
            var (reply, exit) = await _room.ApplyAsync(file);
            Assert.Equal((false, refusal, 1), (reply.Ok, reply.Refusal, exit!.Value));
            Assert.NotEmpty(reply.Error!);
        }

        for (var seed = 0; seed < 6; seed++)
        {
            var mutated = bytes.ToArray();
            mutated[new Random(seed).Next(mutated.Length - 2)] ^= 0x15;
            Assert.False((await _room.ApplyAsync(await FileAsync(mutated))).Reply.Ok);
        }

        Assert.Equal(before, await _room.StateAsync());
        var (taken, _) = await _room.ApplyAsync(signed);
        Assert.Equal((true, null), (taken.Ok, taken.Error));
        Assert.NotEqual(before, await _room.StateAsync());
        Assert.Equal(next.Number, (await _room.ApplyAsync(signed)).Reply.Number);
    }

    /// <summary>On a bastion shared by sites each key reaches what that site has given to it, whatever another site calls its people.</summary>
    [NeedsFact(Needed)]
    public async Task Sites_of_one_bastion_do_not_reach_each_other()
    {
        Assert.True((await _room.PushAsync(Home(("alice", [22001], ["phone"])))).Ok);
        Assert.True((await _room.PushAsync(Work(("alice", [22101], ["other"])))).Ok);

        Assert.StartsWith(Banner, await _room.JumpAsync("phone", "alice", 22001));
        Assert.StartsWith(Banner, await _room.JumpAsync("other", "alice", 22101));
        Assert.Contains(Refused, await _room.JumpAsync("other", "alice", 22001));
        Assert.Contains(Refused, await _room.JumpAsync("phone", "alice", 22101));

        Assert.True((await _room.PushAsync(Work(("alice", [22101], ["other", "phone"])))).Ok);
        Assert.StartsWith(Banner, await _room.JumpAsync("phone", "alice", 22001));
        Assert.StartsWith(Banner, await _room.JumpAsync("phone", "alice", 22101));
        Assert.Contains(Refused, await _room.JumpAsync("other", "alice", 22001));

        Assert.True((await _room.PushAsync(Home())).Ok);
        Assert.Contains(Refused, await _room.JumpAsync("phone", "alice", 22001));
        Assert.StartsWith(Banner, await _room.JumpAsync("phone", "alice", 22101));
        Assert.True((await _room.PushAsync(Work())).Ok);
        Assert.False((await _room.Room.ShellAsync("getent passwd alice")).Ok);
    }

    [NeedsFact(Needed)]
    public async Task Who_is_taken_out_is_out_at_once_and_so_is_a_key()
    {
        Assert.True((await _room.PushAsync(Home(("alice", [22001], ["phone", "laptop"]), ("bob", [22001], ["other"])))).Ok);
        var alice = await StandsAsync("phone", "alice", 30001);
        var bob = await StandsAsync("other", "bob", 30002);

        Assert.True((await _room.PushAsync(Home(("alice", [22001], ["laptop"]), ("bob", [22001, 22002], ["other"])))).Ok);
        await alice.Exited;
        Assert.Contains("Permission denied", await _room.JumpAsync("phone", "alice", 22001));
        Assert.StartsWith(Banner, await _room.JumpAsync("laptop", "alice", 22001));
        Assert.False(bob.Exited.IsCompleted);   // who only gained stays

        Assert.True((await _room.PushAsync(Home(("alice", [22001], ["laptop"])))).Ok);
        await bob.Exited;
        Assert.Contains("Permission denied", await _room.JumpAsync("other", "bob", 22001));
        Assert.False((await _room.Room.ShellAsync("getent passwd bob || test -e /run/bastion-keys/bob")).Ok);
    }

    [NeedsFact(Needed)]
    public async Task What_fails_in_the_middle_is_taken_back()
    {
        Assert.True((await _room.PushAsync(Home(("alice", [22001], ["phone"])))).Ok);
        var before = await _room.StateAsync();
        await _room.Room.DoAsync("printf '#!/bin/sh\\nfor last; do :; done\\n[ \"$last\" != zed ] || exit 1\\nexec /usr/sbin/useradd \"$@\"\\n' > /usr/local/bin/useradd; chmod 755 /usr/local/bin/useradd");

        var reply = await _room.PushAsync(Home(("bob", [22001], ["other"]), ("zed", [22001], ["laptop"])));
        await _room.Room.DoAsync("rm /usr/local/bin/useradd");

        Assert.Equal((false, SyncRefusal.Failed), (reply.Ok, reply.Refusal));
        Assert.Equal(before, await _room.StateAsync());
        await _room.Room.DoAsync("mv /var/lib/bastion-bundles /var/lib/away");
        reply = await _room.PushAsync(Home(("bob", [22001], ["other"])));
        await _room.Room.DoAsync("mv /var/lib/away /var/lib/bastion-bundles");
        Assert.Equal((false, SyncRefusal.Failed), (reply.Ok, reply.Refusal));
        Assert.Equal(before, await _room.StateAsync());
    }

    /// <summary>A connection that stays, once its forward listens.</summary>
    private async Task<IChildProcess> StandsAsync(string key, string account, int port)
    {
        var child = _room.Stay(PeopleRoom.Ssh(key, account, $"-N -L 127.0.0.1:{port}:127.0.0.1:22001"));
        await _room.Room.UntilAsync(async () => (await _room.Room.ShellAsync($"ss -Hltn 'sport = :{port}' | grep -q .")).Ok, $"{account} is in");
        return child;
    }

    private async Task<string> FileAsync(byte[] bytes)
    {
        var file = $"/root/raw-{Guid.NewGuid():N}";
        await File.WriteAllBytesAsync(_room.Room.Seen(file), bytes);
        return file;
    }

    private Bundle Home(params (string Name, int[] Ports, string[] Keys)[] people) => Of("home", people);

    private Bundle Work(params (string Name, int[] Ports, string[] Keys)[] people) => Of("work", people);

    private Bundle Of(string site, (string Name, int[] Ports, string[] Keys)[] people) => new(Bundle.CurrentFormat, site, _room.NextNumber())
    {
        People = [.. people.Select(p => Person(p.Name, p.Ports, p.Keys))],
        Secrets = new Dictionary<string, string> { ["telegram_token"] = "123:abc" },
    };

    private BundlePerson Person(string name, int[] ports, string[] keys) => new(name, ports, [.. keys.Select(k => new BundleDevice(k, _room.Keys[k]))]);

    public sealed class Rooms : IAsyncLifetime
    {
        public PeopleRoom Room { get; private set; } = null!;

        public async Task InitializeAsync() => Room = Needs.Missing(Needed) is null ? await PeopleRoom.OpenAsync() : null!;

        public async Task DisposeAsync()
        {
            if (Room is not null)
            {
                await Room.DisposeAsync();
            }
        }
    }
}
