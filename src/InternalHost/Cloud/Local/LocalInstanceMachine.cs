using System.Collections.Immutable;
using Common;
using Common.Time;

namespace InternalHost.Cloud.Local;

/// <param name="Refusal">Why the call was not carried out; the state is as it was.</param>
internal readonly record struct LocalInstanceStep(LocalInstance Next, ImmutableArray<LocalInstanceEffect> Effects, string? Refusal = null);

/// <summary>
/// The life of the instance: Stopped → Pending → Booting → Up → Stopping → Stopped. Starting what starts or runs and stopping what stops or is
/// stopped do nothing; starting what is stopping is refused, as EC2 does (IncorrectInstanceState).
/// </summary>
[PureCore]
internal static class LocalInstanceMachine
{
    public const string Launched = "launch";
    public const string Running = "running";
    public const string Moved = "moved";
    public const string StopBegun = "stopping";
    public const string HasStopped = "stopped";

    /// <param name="places">How many addresses there are.</param>
    public static LocalInstanceStep Advance(LocalInstance state, LocalInstanceEvent ev, LocalCloudModes modes, int places) => (state, ev) switch
    {
        (LocalInstance.Stopped s, LocalInstanceEvent.StartAsked e) => Launch(s, e, modes, places),
        (LocalInstance.Stopping, LocalInstanceEvent.StartAsked) => new(state, [], "the instance is stopping: it can be started when it has stopped"),

        (LocalInstance.Pending or LocalInstance.Booting or LocalInstance.Up, LocalInstanceEvent.StopAsked e) => Stop(state, e.At, e.By, modes),
        (LocalInstance.Up s, LocalInstanceEvent.Tick e) when e.At >= s.StopsAt => Stop(state, e.At, Cause.Itself, modes),

        (LocalInstance.Pending s, LocalInstanceEvent.Tick e) when e.At >= s.RunningAt => Run(s, e.At, modes),
        (LocalInstance.Booting s, LocalInstanceEvent.Tick e) when e.At >= s.BootedAt => BootUp(s, e.At, modes),
        (LocalInstance.Up s, LocalInstanceEvent.ModesChanged e) => new(s with { StopsAt = StopsAt(e.At, modes) }, []),

        (LocalInstance.Stopped s, LocalInstanceEvent.MoveAsked) => new(s with { Place = Following(s.Place, places) }, []),
        (LocalInstance.Booting s, LocalInstanceEvent.MoveAsked e) => Move(s with { Place = Following(s.Place, places), AddressAt = e.At + modes.AddressLate }, up: false),
        (LocalInstance.Up s, LocalInstanceEvent.MoveAsked e) => Move(s with { Place = Following(s.Place, places), AddressAt = e.At + modes.AddressLate }, up: true),
        (LocalInstance.Pending or LocalInstance.Stopping, LocalInstanceEvent.MoveAsked) => new(state, [], "the instance can be moved while it runs or is stopped"),

        (LocalInstance.Stopping s, LocalInstanceEvent.Ended e) when e.Launch == s.Launch => Finish(s with { AllEnded = true }, e.At),
        (LocalInstance.Stopping s, LocalInstanceEvent.Tick e) => Finish(s, e.At),

        _ => new(state, []),   // asked for what is so already, or news of an earlier launch
    };

    private static LocalInstanceStep Launch(LocalInstance.Stopped s, LocalInstanceEvent.StartAsked e, LocalCloudModes modes, int places)
    {
        var place = modes.AddressChanges && s.Launch > 0 ? Following(s.Place, places) : s.Place;
        var launch = s.Launch + 1;
        var runningAt = e.At + modes.Pending;
        return new(
            new LocalInstance.Pending(launch, place, runningAt, Instant.Max(runningAt, e.At + modes.Boot)),
            [new LocalInstanceEffect.Record(launch, place, Launched, e.By), new LocalInstanceEffect.HoldPorts(launch, place)]);
    }

    private static LocalInstanceStep Run(LocalInstance.Pending s, Instant at, LocalCloudModes modes) => new(
        new LocalInstance.Booting(s.Launch, s.Place, s.BootedAt, at + modes.AddressLate),
        [new LocalInstanceEffect.Record(s.Launch, s.Place, Running, Cause.Itself)]);

    private static LocalInstanceStep BootUp(LocalInstance.Booting s, Instant at, LocalCloudModes modes) => new(
        new LocalInstance.Up(s.Launch, s.Place, s.AddressAt, StopsAt(at, modes)),
        [new LocalInstanceEffect.Boot(s.Launch, s.Place)]);

    private static LocalInstanceStep Stop(LocalInstance s, Instant at, Cause by, LocalCloudModes modes) => new(
        new LocalInstance.Stopping(s.Launch, s.Place, by, at + modes.Stop),
        [new LocalInstanceEffect.Record(s.Launch, s.Place, StopBegun, by), new LocalInstanceEffect.End(s.Launch, s.Place)]);

    private static LocalInstanceStep Move(LocalInstance moved, bool up) => new(
        moved,
        [
            up ? new LocalInstanceEffect.Move(moved.Launch, moved.Place) : new LocalInstanceEffect.HoldPorts(moved.Launch, moved.Place),
            new LocalInstanceEffect.Record(moved.Launch, moved.Place, Moved, Cause.Itself),
        ]);

    private static LocalInstanceStep Finish(LocalInstance.Stopping s, Instant at) => s.AllEnded && at >= s.StoppedAt
        ? new(
            new LocalInstance.Stopped(s.Launch, s.Place, s.By == Cause.Owner),
            [new LocalInstanceEffect.Record(s.Launch, s.Place, HasStopped, s.By)])
        : new(s, []);

    private static Instant StopsAt(Instant at, LocalCloudModes modes) => modes.StopsItselfAfter is { } after ? at + after : Instant.Never;

    private static int Following(int place, int places) => (place + 1) % places;
}
