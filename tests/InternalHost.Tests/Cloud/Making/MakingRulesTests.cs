using System.Net;
using InternalHost.Cloud;
using InternalHost.Cloud.Making;

namespace InternalHost.Tests.Cloud.Making;

public sealed class MakingRulesTests
{
    private static readonly MakingNotes Fresh = new("ec2", "home", "eu-central-1");
    private static readonly MakingNotes Asked = Fresh with { Attempt = new MakingAttempt("t", "t3.nano", "ami-1", "/dev/xvda", "k", "sg-1") };
    private static readonly MakingNotes Running = Asked with { MachineId = "i-1" };
    private static readonly MakingNotes Known = Running with { HostKeys = ["ssh-ed25519 A"] };
    private static readonly MakingNotes Ready = Known with { Installed = true, Pinned = true };
    private static readonly MakingNotes Complete = Ready with { Credential = CredentialNote.Made };
    private static readonly MakingNotes Finished = Complete with { FinishedAt = DateTimeOffset.UnixEpoch };
    private static readonly MakingSight Around = new() { Key = "k", Firewall = "sg-1", FirewallIsRight = true };

    public static TheoryData<string, string> StopStart => new()
    {
        { "nothing", "Key" },
        { "key", "Firewall" },
        { "group asked", "Rules" },
        { "around", "Machine" },
        { "around asked", "Machine" },
        { "running asked", "Recognise" },
        { "pending running", "wait" },
        { "nowhere running", "wait" },
        { "stopped running", "Start" },
        { "stopping running", "wait" },
        { "running running", "HostKey" },
        { "running known", "Install" },
        { "running ready", "Credential" },
        { "running complete", "Stop" },
        { "stopping complete", "wait" },
        { "stopped complete", "Finish" },
        { "running finished", "done" },
        { "stopped finished", "done" },
        { "around finished", "Forget" },
        { "running fresh", "refuse" },
        { "two finished", "refuse" },
        { "running removing", "refuse" },
        { "group finished", "Rules" },
    };

    public static TheoryData<string, string> Snapshot => new()
    {
        { "around", "Machine" },
        { "running running", "HostKey" },
        { "running complete", "Stop" },
        { "stopped complete", "Snapshot" },
        { "taking complete", "wait" },
        { "golden-stopped complete", "Destroy" },
        { "golden complete", "Finish" },
        { "golden ready", "Finish" },
        { "golden finished", "done" },
        { "golden-running finished", "done" },
        { "running finished", "done" },
        { "around finished", "Forget" },
        { "golden fresh", "refuse" },
    };

    [Theory]
    [MemberData(nameof(StopStart))]
    public void Machine_that_stops_and_starts(string scene, string next) => Assert.Equal(next, Next(scene, Lifecycle.StopStart));

    [Theory]
    [MemberData(nameof(Snapshot))]
    public void Machine_that_lives_in_a_snapshot(string scene, string next) => Assert.Equal(next, Next(scene, Lifecycle.Snapshot));

    [Fact]
    public void Pin_follows_the_installation() =>
        Assert.Equal(new MakingTurn.Do(MakingStep.Pin), MakingRules.Next(Seen("running"), Known with { Installed = true }, Lifecycle.StopStart));

    [Fact]
    public void Another_machine_starts_from_nothing()
    {
        var notes = Finished with { SnapshotName = "s", NextHostKey = "n" };

        var on = notes.On("i-2");

        Assert.Equal(("i-2", true, false, false, null, null, null), (on.MachineId, on.HostKeys.IsEmpty, on.Installed, on.Pinned, on.SnapshotName, on.NextHostKey, on.FinishedAt));
        Assert.Same(notes, notes.On("i-1"));
        Assert.Null(notes.WithoutMachine().Attempt);
        Assert.Equal(CredentialNote.Made, notes.WithoutMachine().Credential);
    }

    [Fact]
    public void What_uses_others_is_deleted_first_and_waited_for()
    {
        Thing group = new(ThingKind.Firewall, "sg-1", "security group"), going = new(ThingKind.Machine, "i-1", "instance") { Going = true }, machine = new(ThingKind.Machine, "i-2", "instance");

        Assert.Same(machine, RemovalRules.Next(new MakingSight { Things = [group, going, machine] }));
        Assert.Same(going, RemovalRules.Next(new MakingSight { Things = [group, going] }));
        Assert.Same(group, RemovalRules.Next(new MakingSight { Things = [group] }));
        Assert.Null(RemovalRules.Next(new MakingSight()));
    }

    private static string Next(string scene, Lifecycle lifecycle)
    {
        var words = scene.Split(' ');
        return MakingRules.Next(Seen(words[0]), words.Length > 1 ? Notes(words[1]) : Fresh, lifecycle) switch
        {
            MakingTurn.Do turn => $"{turn.Step}",
            MakingTurn.Wait => "wait",
            MakingTurn.Refuse => "refuse",
            _ => "done",
        };
    }

    private static MakingSight Seen(string word) => word switch
    {
        "nothing" => new MakingSight(),
        "key" => new MakingSight { Key = "k" },
        "group" => Around with { FirewallIsRight = false, Machines = [Machine("i-1", InstanceState.Stopped)] },
        "around" => Around,
        "nowhere" => Around with { Machines = [Machine("i-1", InstanceState.Running) with { Addresses = [] }] },
        "two" => Around with { Machines = [Machine("i-1", InstanceState.Running), Machine("i-2", InstanceState.Stopped)] },
        "taking" => Around with { Machines = [Machine("i-1", InstanceState.Stopped)], SnapshotUnderWay = true },
        "golden" => Around with { Golden = "g" },
        ['g', 'o', 'l', 'd', 'e', 'n', '-', .. var state] => Seen(state) with { Golden = "g" },
        "pending" => Around with { Machines = [Machine("i-1", InstanceState.Pending)] },
        "running" => Around with { Machines = [Machine("i-1", InstanceState.Running)] },
        "stopping" => Around with { Machines = [Machine("i-1", InstanceState.Stopping)] },
        _ => Around with { Machines = [Machine("i-1", InstanceState.Stopped)] },
    };

    private static MakingNotes Notes(string word) => word switch
    {
        "asked" => Asked,
        "running" => Running,
        "known" => Known,
        "ready" => Ready,
        "complete" => Complete,
        "finished" => Finished,
        "removing" => Finished with { Removing = true },
        _ => Fresh,
    };

    private static SeenMachine Machine(string id, InstanceState state) => new(id, state, [IPAddress.Parse("203.0.113.7")]);
}
