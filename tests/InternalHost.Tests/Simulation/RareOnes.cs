using InternalHost.Cloud;
using InternalHost.Failover;
using InternalHost.Simulation;
using InternalHost.Tests.Failover;
using InternalHost.Tunnel;
using InternalHost.Wan.Detection;

namespace InternalHost.Tests.Simulation;

/// <summary>
/// What needs several slow answers to cross on their way, told to the machine in the order in which they would have to arrive. Each
/// ends as it must: nothing is started or stopped by the late one.
/// </summary>
internal static class RareOnes
{
    /// <summary>A start that was refused is asked again while a picture is on its way; the picture shows that it runs, before the answer comes.</summary>
    private static readonly string[] StartIsAnsweredIn = ["Connecting", "Serving", "Draining", "Refusing"];

    public static Coverage Told()
    {
        var seen = new Coverage();
        foreach (var phase in StartIsAnsweredIn)
        {
            AnsweredLate(seen, phase, s => s.Do(at => new FailoverEvent.StartAccepted(at, s.State.Run)));
            AnsweredLate(seen, phase, s => s.Do(at => new FailoverEvent.StartFailed(at, s.State.Run, CloudFailure.LostReply, "no answer in 30 s")));
            // A picture from before this round.
            AnsweredLate(seen, phase, s => s.Do(at => new FailoverEvent.InstanceSeen(at, s.State.Run - 1, InstanceSight.Absent)));
        }

        // A second address: the tunnel has to prove itself again, and what was asked through it is still answered.
        foreach (var answer in new Func<Story, Story>[] { s => s.Sessions(0), s => s.Sessions(1), s => s.Drained(), s => s.Drained(false) })
        {
            var story = Watched(seen).Cut().Accepted().Instance(InstanceState.Running, Story.A).Verified();
            story.Wait(70).Primary(Usable.Yes).Sessions(0).Empty(600).Instance(InstanceState.Running, Story.B).Primary(Usable.No);
            Ends(story, "Connecting", answer);
        }

        // Somebody was counted just before the drain was carried out, and has gone since: the undrain is already on its way.
        Ends(In(seen, "Refusing").Sessions(1), "Draining", s => s.Drained());
        // A look at the server inside, or a question to the agent, that was under way when the tunnel was closed.
        Func<Story>[] closed = [() => Watched(seen), () => Watched(seen).Backup(Usable.No).Primary(Usable.No), () => Watched(seen).Cut(), () => Watched(seen).Stopping()];
        foreach (var make in closed)
        {
            var phase = make().Phase;
            Ends(make(), phase, s => s.Do(at => new FailoverEvent.InnerSshSeen(at, Up: false)));
            Ends(make(), phase, s => s.Do(at => new FailoverEvent.InnerSshSeen(at, Up: true)));
            Ends(make(), phase, s => s.Sessions(null));
        }

        // A picture from the machine's boot that took longer than the boot.
        Ends(In(seen, "Serving"), "Serving", s => s.Instance(InstanceState.Pending, Story.A));
        Ends(In(seen, "Draining"), "Draining", s => s.Instance(InstanceState.Pending, Story.A));
        Ends(In(seen, "Refusing"), "Draining", s => s.Instance(InstanceState.Pending, Story.A));

        // People are refused for less than a second, unless the agent has a reason to wait.
        Ends(In(seen, "Refusing"), "Serving", s => s.Primary(Usable.No));
        Ends(In(seen, "Refusing"), "Serving", s => s.Primary(Usable.Unknown));
        Ends(In(seen, "Refusing"), "Draining", s => s.Backup(Usable.Unknown));
        Ends(In(seen, "Refusing"), "Standby", s => s.Instance(InstanceState.Absent));
        Ends(In(seen, "Refusing"), "Standby", s => s.Instance(InstanceState.Stopped, byOwner: true));
        Ends(In(seen, "Refusing"), "Draining", s => s.Instance(InstanceState.Stopping));
        Ends(In(seen, "Refusing"), "Draining", s => s.Do(at => new FailoverEvent.DescribeFailed(at, s.State.Run, CloudFailure.Unreachable, "no way")));

        Ends(In(seen, "Serving").Lost(), "Connecting", s => s.Sessions(null));
        Ends(In(seen, "Draining").Lost(), "Draining", s => s.Troubled(TunnelReason.Denied));
        return seen;
    }

    private static void AnsweredLate(Coverage seen, string phase, Func<Story, Story> answer) =>
        Ends(In(seen, phase), phase == "Refusing" ? "Draining" : phase, answer);

    private static void Ends(Story story, string phase, Func<Story, Story> answer)
    {
        var (starts, stops) = (story.Count<FailoverEffect.StartInstance>(), story.Count<FailoverEffect.StopInstance>());

        answer(story);

        Assert.Equal(phase, story.Phase);
        Assert.Equal((starts, stops), (story.Count<FailoverEffect.StartInstance>(), story.Count<FailoverEffect.StopInstance>()));
    }

    private static Story In(Coverage seen, string phase)
    {
        var story = Watched(seen).Cut().StartRefused(CloudFailure.Capacity).Wait(1).Instance(InstanceState.Stopped).Wait(30).Instance(InstanceState.Running, Story.A);
        return phase switch
        {
            "Connecting" => story,
            "Serving" => story.Verified(),
            "Draining" => story.Verified().Primary(Usable.Yes).Sessions(0),
            _ => story.Verified().Primary(Usable.Yes).Sessions(0).Empty(600),
        };
    }

    private static Story Watched(Coverage seen) => new() { Seen = (state, ev) => seen.Saw(state, ev) };
}
