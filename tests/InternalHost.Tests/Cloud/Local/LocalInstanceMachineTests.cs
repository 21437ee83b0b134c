using System.Collections.Immutable;
using System.Net;
using Common.Time;
using InternalHost.Cloud;
using InternalHost.Cloud.Local;

namespace InternalHost.Tests.Cloud.Local;

public sealed class LocalInstanceMachineTests
{
    private static readonly LocalCloudModes Modes = new()
    {
        Pending = TimeSpan.FromSeconds(2),
        Boot = TimeSpan.FromSeconds(5),
        AddressLate = TimeSpan.FromSeconds(1),
        Stop = TimeSpan.FromSeconds(3),
    };

    private static readonly ImmutableArray<ImmutableArray<IPAddress>> Addresses = [[IPAddress.Parse("127.0.0.1")], [IPAddress.Parse("127.0.0.2")]];

    private static readonly LocalInstance Stopped = new LocalInstance.Stopped(1, 0);
    private static readonly LocalInstance Pending = new LocalInstance.Pending(2, 0, At(102), At(105));
    private static readonly LocalInstance Booting = new LocalInstance.Booting(2, 0, At(105), At(103));
    private static readonly LocalInstance Up = new LocalInstance.Up(2, 0, At(103), Instant.Never);
    private static readonly LocalInstance Stopping = new LocalInstance.Stopping(2, 0, Cause.Api, At(113));
    private static readonly LocalInstance Ended = new LocalInstance.Stopping(2, 0, Cause.Api, At(113), AllEnded: true);

    private static readonly LocalInstanceEvent Start = new LocalInstanceEvent.StartAsked(At(110), Cause.Api);
    private static readonly LocalInstanceEvent Stop = new LocalInstanceEvent.StopAsked(At(110), Cause.Api);
    private static readonly LocalInstanceEvent Move = new LocalInstanceEvent.MoveAsked(At(110));
    private static readonly LocalInstanceEvent NewModes = new LocalInstanceEvent.ModesChanged(At(110));
    private static readonly LocalInstanceEvent AllGone = new LocalInstanceEvent.Ended(At(110), 2);
    private static readonly LocalInstanceEvent OldNews = new LocalInstanceEvent.Ended(At(110), 1);
    private static readonly LocalInstanceEvent Early = new LocalInstanceEvent.Tick(At(101));
    private static readonly LocalInstanceEvent Late = new LocalInstanceEvent.Tick(At(120));

    /// <summary>Every state with every event: what it becomes, and the effects by name.</summary>
    public static readonly TheoryData<string, string, string, string> Pairs = new()
    {
        { nameof(Stopped), nameof(Start), "Pending", "Record launch api, HoldPorts" },
        { nameof(Stopped), nameof(Stop), "Stopped", "" },
        { nameof(Stopped), nameof(Move), "Stopped@1", "" },
        { nameof(Stopped), nameof(NewModes), "Stopped", "" },
        { nameof(Stopped), nameof(AllGone), "Stopped", "" },
        { nameof(Stopped), nameof(OldNews), "Stopped", "" },
        { nameof(Stopped), nameof(Early), "Stopped", "" },
        { nameof(Stopped), nameof(Late), "Stopped", "" },
        { nameof(Pending), nameof(Start), "Pending", "" },
        { nameof(Pending), nameof(Stop), "Stopping", "Record stopping api, End" },
        { nameof(Pending), nameof(Move), "Pending", "refused" },
        { nameof(Pending), nameof(NewModes), "Pending", "" },
        { nameof(Pending), nameof(AllGone), "Pending", "" },
        { nameof(Pending), nameof(OldNews), "Pending", "" },
        { nameof(Pending), nameof(Early), "Pending", "" },
        { nameof(Pending), nameof(Late), "Booting", "Record running itself" },
        { nameof(Booting), nameof(Start), "Booting", "" },
        { nameof(Booting), nameof(Stop), "Stopping", "Record stopping api, End" },
        { nameof(Booting), nameof(Move), "Booting@1", "HoldPorts, Record moved itself" },
        { nameof(Booting), nameof(NewModes), "Booting", "" },
        { nameof(Booting), nameof(AllGone), "Booting", "" },
        { nameof(Booting), nameof(OldNews), "Booting", "" },
        { nameof(Booting), nameof(Early), "Booting", "" },
        { nameof(Booting), nameof(Late), "Up", "Boot" },
        { nameof(Up), nameof(Start), "Up", "" },
        { nameof(Up), nameof(Stop), "Stopping", "Record stopping api, End" },
        { nameof(Up), nameof(Move), "Up@1", "Move, Record moved itself" },
        { nameof(Up), nameof(NewModes), "Up", "" },
        { nameof(Up), nameof(AllGone), "Up", "" },
        { nameof(Up), nameof(OldNews), "Up", "" },
        { nameof(Up), nameof(Early), "Up", "" },
        { nameof(Up), nameof(Late), "Up", "" },
        { nameof(Stopping), nameof(Start), "Stopping", "refused" },
        { nameof(Stopping), nameof(Stop), "Stopping", "" },
        { nameof(Stopping), nameof(Move), "Stopping", "refused" },
        { nameof(Stopping), nameof(NewModes), "Stopping", "" },
        { nameof(Stopping), nameof(AllGone), "Stopping", "" },
        { nameof(Stopping), nameof(OldNews), "Stopping", "" },
        { nameof(Stopping), nameof(Early), "Stopping", "" },
        { nameof(Stopping), nameof(Late), "Stopping", "" },
        { nameof(Ended), nameof(Start), "Stopping", "refused" },
        { nameof(Ended), nameof(Stop), "Stopping", "" },
        { nameof(Ended), nameof(Move), "Stopping", "refused" },
        { nameof(Ended), nameof(NewModes), "Stopping", "" },
        { nameof(Ended), nameof(AllGone), "Stopping", "" },
        { nameof(Ended), nameof(OldNews), "Stopping", "" },
        { nameof(Ended), nameof(Early), "Stopping", "" },
        { nameof(Ended), nameof(Late), "Stopped", "Record stopped api" },
    };

    [Theory]
    [MemberData(nameof(Pairs))]
    public void Pair_of_state_and_event_has_its_step(string state, string ev, string next, string effects)
    {
        var step = LocalInstanceMachine.Advance(State(state), Event(ev), Modes, Addresses.Length);

        Assert.Equal(next, step.Next.Place == 0 ? step.Next.GetType().Name : $"{step.Next.GetType().Name}@{step.Next.Place}");
        Assert.Equal(effects, step.Refusal is null ? string.Join(", ", step.Effects.Select(Name)) : "refused");
        Assert.All(step.Effects, e => Assert.Equal((step.Next.Launch, step.Next.Place), (e.Launch, e.Place)));
    }

    [Fact]
    public void Life_takes_the_times_of_the_modes()
    {
        var instance = Advance(Stopped, new LocalInstanceEvent.StartAsked(At(100), Cause.Api));
        Assert.Equal(At(102), instance.Wake);
        instance = Advance(instance, new LocalInstanceEvent.Tick(At(102)));
        Assert.Equal((At(105), InstanceState.Running, 0), (instance.Wake, Seen(instance, 102).State, Seen(instance, 102).Addresses.Length));
        Assert.Equal(IPAddress.Parse("127.0.0.1"), Assert.Single(Seen(instance, 103).Addresses));
        instance = Advance(instance, new LocalInstanceEvent.Tick(At(105)));
        Assert.Equal(("launch-2", Instant.Never), (Seen(instance, 105).LaunchId, instance.Wake));

        instance = Advance(instance, new LocalInstanceEvent.StopAsked(At(200), Cause.Api));
        Assert.Equal((InstanceState.Stopping, Instant.Never), (Seen(instance, 201).State, instance.Wake));
        instance = Advance(instance, new LocalInstanceEvent.Ended(At(201), 2));
        Assert.Equal(At(203), instance.Wake);
        Assert.Equal(InstanceState.Stopped, Seen(Advance(instance, new LocalInstanceEvent.Tick(At(203))), 203).State);
    }

    [Fact]
    public void Slow_end_of_processes_outlasts_the_stop_time()
    {
        var instance = Advance(Stopping, new LocalInstanceEvent.Ended(At(140), 2));

        Assert.IsType<LocalInstance.Stopped>(instance);
    }

    [Fact]
    public void Owner_who_stops_it_is_seen_until_the_next_start()
    {
        var stopping = Advance(Up, new LocalInstanceEvent.StopAsked(At(110), Cause.Owner));
        var stopped = Advance(Advance(stopping, AllGone), Late);

        Assert.True(Seen(stopped, 120).StoppedByOwner);
        Assert.False(Seen(Advance(stopped, Start), 120).StoppedByOwner);
    }

    [Theory]
    [InlineData(false, 0)]
    [InlineData(true, 1)]
    public void Start_takes_the_next_address_where_it_changes(bool changes, int place) =>
        Assert.Equal(place, LocalInstanceMachine.Advance(Stopped, Start, Modes with { AddressChanges = changes }, 2).Next.Place);

    [Fact]
    public void First_start_takes_the_first_address() =>
        Assert.Equal(0, LocalInstanceMachine.Advance(new LocalInstance.Stopped(0, 0), Start, Modes with { AddressChanges = true }, 2).Next.Place);

    [Fact]
    public void Instance_stops_itself_when_told_while_it_runs()
    {
        var modes = Modes with { StopsItselfAfter = TimeSpan.FromSeconds(30) };

        var armed = LocalInstanceMachine.Advance(Up, NewModes, modes, 2).Next;
        var early = LocalInstanceMachine.Advance(armed, new LocalInstanceEvent.Tick(At(139)), modes, 2);
        var due = LocalInstanceMachine.Advance(armed, new LocalInstanceEvent.Tick(At(140)), modes, 2);

        Assert.Equal(At(140), armed.Wake);
        Assert.Equal(armed, early.Next);
        Assert.Equal(Cause.Itself, Assert.IsType<LocalInstance.Stopping>(due.Next).By);
    }

    [Fact]
    public void Moved_instance_tells_its_new_address_late()
    {
        var moved = Advance(Up, Move);

        Assert.Empty(Seen(moved, 110).Addresses);
        Assert.Equal(Addresses[1].Single(), Assert.Single(Seen(moved, 111).Addresses));
    }

    [Fact]
    public void Call_faults_count_down()
    {
        var modes = new LocalCloudModes
        {
            FailCalls = ImmutableDictionary<string, FailingCalls>.Empty.Add("start", new(2, CloudFailure.Capacity)),
            LoseReplies = ImmutableDictionary<string, int>.Empty.Add("stop", 1),
        };

        var failures = new List<CloudFailure?>();
        for (var call = 0; call < 3; call++)
        {
            (var failure, modes) = CallFaults.TakeFailure(modes, "start");
            failures.Add(failure);
        }

        var (lost, left) = CallFaults.TakeLoss(modes, "stop");

        Assert.Equal([CloudFailure.Capacity, CloudFailure.Capacity, null], failures);
        Assert.True(lost);
        Assert.False(CallFaults.TakeLoss(left, "stop").Lost);
        Assert.False(CallFaults.TakeLoss(modes, "start").Lost);
    }

    private static Instant At(int seconds) => new(TimeSpan.FromSeconds(seconds).Ticks);

    private static LocalInstance Advance(LocalInstance state, LocalInstanceEvent ev) => LocalInstanceMachine.Advance(state, ev, Modes, Addresses.Length).Next;

    private static InstanceSight Seen(LocalInstance state, int at) => state.Seen("local-x", Addresses, At(at));

    private static string Name(LocalInstanceEffect effect) => effect is LocalInstanceEffect.Record r
        ? $"Record {r.Event} {r.By.ToString().ToLowerInvariant()}"
        : effect.GetType().Name;

    private static LocalInstance State(string name) => name switch
    {
        nameof(Stopped) => Stopped,
        nameof(Pending) => Pending,
        nameof(Booting) => Booting,
        nameof(Up) => Up,
        nameof(Stopping) => Stopping,
        nameof(Ended) => Ended,
        _ => throw new ArgumentOutOfRangeException(nameof(name), name, null),
    };

    private static LocalInstanceEvent Event(string name) => name switch
    {
        nameof(Start) => Start,
        nameof(Stop) => Stop,
        nameof(Move) => Move,
        nameof(NewModes) => NewModes,
        nameof(AllGone) => AllGone,
        nameof(OldNews) => OldNews,
        nameof(Early) => Early,
        nameof(Late) => Late,
        _ => throw new ArgumentOutOfRangeException(nameof(name), name, null),
    };
}
