using System.Net;
using Common.Time;
using InternalHost.Tunnel;
using static InternalHost.Tunnel.TunnelEffect;
using static InternalHost.Tunnel.TunnelEvent;
using static InternalHost.Tunnel.TunnelState;

namespace InternalHost.Tests.Tunnel;

/// <summary>Every state meets every event, once by table and many times by chance.</summary>
public sealed class TunnelMachinePairsTests
{
    private const int Run = 5;
    private static readonly TunnelPolicy Policy = TunnelPolicy.Default;
    private static readonly Instant Start = new(TimeSpan.FromHours(1).Ticks);
    private static readonly IPAddress Here = IPAddress.Parse("203.0.113.7");
    private static readonly TunnelFailure Lost = new(TunnelReason.ServerAliveTimeout, "lost");

    private static readonly TunnelMemory Memory = new(1, [Here], Start, EverVerified: true, RefusedAt: [], EvictedAt: []);

    private static readonly TunnelState[] States =
    [
        new Idle(Run, Start), new Dialling(Run, Start, Memory), new Connecting(Run, Start, Memory), new Forwarding(Run, Start, Memory),
        new Verifying(Run, Start, Memory, new(Out: false, Start)), new Up(Run, Start, Memory, new(Out: false, Start), Start),
        new BackingOff(Run, Start, Memory, Start, Start),
    ];

    // What happens a minute later. "-": nothing.  State after, then effects.
    // Idle | Dialling | Connecting | Forwarding | Verifying | Up | BackingOff
    private static readonly (Func<Instant, int, TunnelEvent> Event, string[] Expected)[] Table =
    [
        ((at, _) => new Wanted(at, 1, [Here]), ["Dialling Dial", "Dialling", "Connecting", "Forwarding", "Verifying", "Up Probe", "BackingOff"]),
        ((at, _) => new Wanted(at, 1, [IPAddress.Loopback]), ["Dialling Dial", "Dialling Close Dial", "Dialling Close Dial", "Dialling Close Dial", "Dialling Close Dial", "Up Probe", "Dialling Dial"]),
        ((at, _) => new Unwanted(at), ["-", "Idle Close", "Idle Close", "Idle Close", "Idle Close", "Idle Close", "Idle"]),
        ((at, _) => new Nudged(at), ["-", "Dialling", "Dialling Close Dial", "Forwarding", "Verifying Probe", "Up Probe", "Dialling Dial"]),
        ((at, _) => new Ticked(at), ["-", "-", "-", "BackingOff Close", "Verifying Probe", "Up Probe", "Dialling Dial"]),
        ((at, run) => new DialWon(at, run), ["-", "Connecting Connect", "-", "-", "-", "-", "-"]),
        ((at, run) => new Connected(at, run), ["-", "-", "Forwarding AddForwards", "-", "-", "-", "-"]),
        ((at, run) => new LoopForwarded(at, run, null, 0), ["-", "-", "-", "Verifying Probe", "-", "-", "-"]),
        ((at, run) => new LoopForwarded(at, run, TunnelReason.ForwardBusy, 0), ["-", "-", "-", "Forwarding Probe", "-", "-", "-"]),
        ((at, run) => new LoopForwarded(at, run, TunnelReason.ForwardNotPermitted, 0), ["-", "-", "-", "BackingOff Close", "-", "-", "-"]),
        ((at, run) => new ProbeAnswered(at, run), ["-", "-", "-", "Up Tell", "Up Tell", "Up", "-"]),
        ((at, run) => new ProbeDelayed(at, run, true), ["-", "-", "-", "-", "Verifying", "Up", "-"]),
        ((at, run) => new ProbeMissed(at, run, 0, 0), ["-", "-", "-", "-", "Verifying", "Up", "-"]),
        ((at, run) => new ProbeForeign(at, run, 0), ["-", "-", "-", "BackingOff Close", "BackingOff Close", "BackingOff Close Tell", "-"]),
        ((at, run) => new Failed(at, run, Lost, 0), ["-", "BackingOff Close", "BackingOff Close", "BackingOff Close", "BackingOff Close", "BackingOff Close Tell", "-"]),
    ];

    [Fact]
    public void Every_state_meets_every_event()
    {
        var met = new HashSet<(string, string)>();
        foreach (var (make, expected) in Table)
        {
            for (var i = 0; i < States.Length; i++)
            {
                var ev = make(Start + TimeSpan.FromMinutes(1), Run);
                met.Add((States[i].GetType().Name, ev.GetType().Name));

                var step = TunnelMachine.Advance(States[i], ev, Policy);

                Assert.Equal((States[i], ev, expected[i]), (States[i], ev, Describe(States[i], step)));
            }
        }

        Assert.Equal(Kinds(typeof(TunnelState)) * Kinds(typeof(TunnelEvent)), met.Count);
    }

    [Fact]
    public void News_of_an_old_run_changes_nothing()
    {
        foreach (var (make, _) in Table.Where(row => row.Event(Start, 0) is not (Wanted or Unwanted or Nudged or Ticked)))
        {
            foreach (var state in States)
            {
                var step = TunnelMachine.Advance(state, make(Start + TimeSpan.FromMinutes(1), Run - 1), Policy);

                Assert.Equal("-", Describe(state, step));
            }
        }
    }

    [Fact]
    public void Whatever_comes_there_is_one_run_at_a_time_and_no_wait_is_too_long()
    {
        for (var seed = 0; seed < 300; seed++)
        {
            var world = new World(seed);
            for (var i = 0; i < 400; i++)
            {
                world.Step();
            }
        }
    }

    private static int Kinds(Type closedSet) => closedSet.GetNestedTypes().Count(type => type.IsSealed);

    private static string Describe(TunnelState before, TunnelStep step) => step.Next == before && step.Effects.IsEmpty
        ? "-"
        : string.Join(' ', step.Effects.Select(effect => effect.GetType().Name).Prepend(step.Next.GetType().Name));

    /// <summary>Chance as the world: right and stale answers, in any order. Checks after each step.</summary>
    private sealed class World(int seed)
    {
        private static readonly TunnelReason[] Reasons = Enum.GetValues<TunnelReason>();
        private readonly Random _random = new(seed);
        private TunnelState _state = TunnelMachine.Start;
        private Instant _now = Start;
        private int? _running;
        private int _lastRun;

        public void Step()
        {
            _now += TimeSpan.FromSeconds(_random.NextDouble() * (_random.Next(10) == 0 ? 100 : 3));
            var before = _state;
            var step = TunnelMachine.Advance(before, NextEvent(), Policy);
            foreach (var effect in step.Effects)
            {
                Check(effect, before);
            }

            _state = step.Next;
            Check();
        }

        private TunnelEvent NextEvent()
        {
            var run = _random.Next(6) == 0 ? _state.Run - 1 : _state.Run;
            var jitter = _random.NextDouble();
            return _random.Next(16) switch
            {
                0 => new Wanted(_now, seed, _random.Next(3) == 0 ? [IPAddress.Loopback] : [Here]),
                1 => _random.Next(6) == 0 ? new Unwanted(_now) : new Ticked(_now),
                2 => new Nudged(_now),
                3 or 4 => new DialWon(_now, run),
                5 or 6 => new Connected(_now, run),
                7 => new LoopForwarded(_now, run, null, jitter),
                8 => new LoopForwarded(_now, run, Reasons[_random.Next(Reasons.Length)], jitter),
                9 => new ProbeAnswered(_now, run),
                10 => new ProbeDelayed(_now, run, _random.Next(2) == 0),
                11 => new ProbeMissed(_now, run, _random.Next(100_000), jitter),
                12 => new ProbeForeign(_now, run, jitter),
                13 => new Failed(_now, run, new(Reasons[_random.Next(Reasons.Length)], "chance"), jitter),
                _ => new Ticked(_now),
            };
        }

        private void Check(TunnelEffect effect, TunnelState before)
        {
            switch (effect)
            {
                case Dial e:
                    Assert.True(_running is null, $"seed {seed}: run {e.Run} starts while {_running} runs");
                    Assert.Equal(_lastRun + 1, e.Run);
                    (_running, _lastRun) = (e.Run, e.Run);
                    break;
                case Close e:
                    Assert.Equal(_running, e.Run);
                    _running = null;
                    break;
                case Connect { Run: var run }:
                    Assert.Equal(_running, run);
                    break;
                case Probe { Run: var run }:
                    Assert.Equal(_running, run);
                    break;
                case Tell { News: TunnelNews.Lost }:
                    Assert.IsType<Up>(before);
                    break;
                case Tell { News: TunnelNews.Verified }:
                    Assert.True(before is Forwarding or Verifying or Up);
                    break;
            }
        }

        private void Check()
        {
            Assert.Equal(_running is not null, _state is Wanting and not BackingOff);
            Assert.Equal(_running ?? _lastRun, _state.Run);
            if (_state is BackingOff off)
            {
                Assert.InRange(off.Until - off.Since, TimeSpan.Zero, Policy.RefusalCap);
                Assert.True(off.Memory.Last!.Reason is TunnelReason.HostKeyChanged or TunnelReason.Denied or TunnelReason.ForwardNotPermitted or TunnelReason.ForeignListener
                    || off.Until - off.Since <= Policy.Backoff.Cap, $"seed {seed}: {off}");
            }

            // Nothing is terminal: there is always a moment, or an answer of the running attempt, that leads on.
            Assert.True(_state is Idle or Dialling or Connecting || TunnelMachine.WakeAt(_state, Policy) < Instant.Never || Out());
        }

        private bool Out() => _state is Up { Watch.Out: true } or Verifying { Watch.Out: true };
    }
}
