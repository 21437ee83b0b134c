using Common.Time;
using InternalHost.Cloud;
using InternalHost.Failover;
using InternalHost.Tunnel;
using InternalHost.Wan.Detection;
using static InternalHost.Failover.FailoverEffect;

namespace InternalHost.Tests.Failover;

/// <summary>
/// A small hostile world in virtual time: uplinks flap, the provider loses replies, refuses, lags and stops slowly, people come
/// and go, the owner presses Start and Stop, the program is killed. The invariants of the design are checked after every step.
/// </summary>
public sealed class FailoverRandomTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    public void Invariants_hold_in_a_hostile_world(int seed)
    {
        for (var life = 0; life < 60; life++)
        {
            new HostileWorld((seed * 1000) + life).Live(TimeSpan.FromHours(12));
        }
    }
}

internal sealed class HostileWorld(int seed)
{
    private readonly Random _random = new(seed);
    private readonly FailoverPolicy _policy = Story.Policy;
    private readonly List<(Instant At, Func<Instant, FailoverEvent> Event)> _coming = [];
    private readonly HashSet<string> _ids = [];
    private FailoverState _state = FailoverState.Initial;
    private Instant _at = new(TimeSpan.FromDays(1).Ticks);
    private Usable _primary = Usable.Yes;
    private Usable _backup = Usable.Yes;
    private InstanceState _vm = InstanceState.Stopped;
    private bool _byOwner;
    private Instant _vmChanges = Instant.Never;
    private int _people;
    private bool _refusing;
    private bool _tunnelWanted;
    private int _tunnelRun;
    private bool _tunnelUp;
    private Instant? _neededSince;
    private Instant _calmSince;

    public void Live(TimeSpan span)
    {
        var end = _at + span;
        _calmSince = _at;
        Feed(at => new FailoverEvent.UplinkSeen(at, UplinkName.Backup, _backup));
        Feed(at => new FailoverEvent.UplinkSeen(at, UplinkName.Primary, _primary));
        while (_at < end)
        {
            var next = Instant.Min(_at + TimeSpan.FromSeconds(1 + (_random.NextDouble() * 40)), FailoverMachine.NextWake(_state, _at, _policy));
            next = _coming.Count > 0 ? Instant.Min(next, _coming.Min(c => c.At)) : next;
            _at = Instant.Max(next, _at + TimeSpan.FromMilliseconds(1));
            Move();
            foreach (var due in _coming.Where(c => c.At <= _at).ToList())
            {
                _coming.Remove(due);
                Feed(due.Event);
            }

            Feed(at => new FailoverEvent.Tick(at));
            Check();
        }
    }

    private bool Chance(double perStep) => _random.NextDouble() < perStep;

    private void Later(double seconds, Func<Instant, FailoverEvent> ev) => _coming.Add((_at + TimeSpan.FromSeconds(seconds * _random.NextDouble()), ev));

    private void Move()
    {
        if (_vmChanges <= _at)
        {
            _vm = _vm == InstanceState.Pending ? InstanceState.Running : InstanceState.Stopped;
            _vmChanges = Instant.Never;
            _people = _vm == InstanceState.Running ? _people : 0;
        }

        if (Chance(0.01))
        {
            _primary = (Usable)_random.Next(3);
            Trouble();
            Feed(at => new FailoverEvent.UplinkSeen(at, UplinkName.Primary, _primary));
        }

        if (Chance(0.004))
        {
            _backup = (Usable)_random.Next(3);
            Trouble();
            Feed(at => new FailoverEvent.UplinkSeen(at, UplinkName.Backup, _backup));
        }

        People();
        Tunnel();
        if (Chance(0.002))
        {
            Trouble();
            OwnerPresses();
        }

        if (Chance(0.003))
        {
            Trouble();
            Operator();
        }

        if (Chance(0.005))
        {
            // kill -9: what was journalled comes back, answers to old questions are lost or come late.
            Trouble();
            _state = _state with { Watch = new Watch() };
            _tunnelWanted = _tunnelUp = false;
            Feed(at => new FailoverEvent.Restarted(at));
            Feed(at => new FailoverEvent.UplinkSeen(at, UplinkName.Backup, _backup));
            Feed(at => new FailoverEvent.UplinkSeen(at, UplinkName.Primary, _primary));
        }
    }

    private void People()
    {
        if (_vm == InstanceState.Running && !_refusing && Chance(0.01))
        {
            _people++;
        }
        else if (_people > 0 && Chance(0.02))
        {
            _people--;
        }
    }

    private void Tunnel()
    {
        if (_tunnelUp && (_vm != InstanceState.Running || Chance(0.003)))
        {
            _tunnelUp = false;
            Feed(at => new FailoverEvent.TunnelLost(at, _tunnelRun, new(TunnelReason.ServerAliveTimeout, "")));
        }
        else if (_tunnelWanted && !_tunnelUp && _vm == InstanceState.Running && (_primary == Usable.Yes || _backup == Usable.Yes))
        {
            _tunnelUp = true;
            Feed(at => new FailoverEvent.TunnelVerified(at, _tunnelRun));
        }
        else if (_tunnelWanted && !_tunnelUp && Chance(0.1))
        {
            Feed(at => new FailoverEvent.TunnelTroubled(at, _tunnelRun, new((TunnelReason)_random.Next(1, 14), "")));
        }
    }

    private void OwnerPresses()
    {
        if (_vm == InstanceState.Stopped)
        {
            (_vm, _vmChanges, _byOwner) = (InstanceState.Pending, _at + TimeSpan.FromSeconds(20), false);
        }
        else if (_vm == InstanceState.Running)
        {
            (_vm, _vmChanges, _byOwner, _people) = (InstanceState.Stopping, _at + TimeSpan.FromSeconds(20), true, 0);
        }
    }

    private void Operator()
    {
        switch (_random.Next(4))
        {
            case 0: Feed(at => new FailoverEvent.OperatorOpened(at, TimeSpan.FromMinutes(30))); break;
            case 1: Feed(at => new FailoverEvent.OperatorClosed(at)); break;
            case 2: Feed(at => new FailoverEvent.OperatorPaused(at, TimeSpan.FromMinutes(30), "")); break;
            default: Feed(at => new FailoverEvent.OperatorResumed(at)); break;
        }
    }

    private void Trouble() => _calmSince = _at;

    private void Feed(Func<Instant, FailoverEvent> make)
    {
        var ev = make(_at) with { Jitter = _random.NextDouble() };
        var before = _state;
        var step = FailoverMachine.Advance(before, ev, _policy);
        _state = step.Next;
        foreach (var effect in step.Effects)
        {
            Carry(effect);
        }
    }

    private void Carry(FailoverEffect effect)
    {
        switch (effect)
        {
            case DescribeInstance d: Describe(d); break;
            case StartInstance s: Start(s); break;
            case StopInstance s: Stop(s); break;
            case OpenTunnel o: (_tunnelWanted, _tunnelRun, _tunnelUp) = (true, o.Run, false); break;
            case CloseTunnel: (_tunnelWanted, _tunnelUp) = (false, false); break;
            case AskSessions:
                var (count, known) = (_people, _tunnelUp && !Chance(0.1));
                Later(1, at => new FailoverEvent.SessionsSeen(at, known ? count : null, 0));
                break;
            case Drain d:
                Assert.True(_tunnelUp, "a drain was asked for through no tunnel");
                _refusing = true;
                var empty = _people == 0;
                Later(1, at => new FailoverEvent.DrainAnswered(at, d.Run, empty, ""));
                break;
            case Undrain: _refusing = false; break;
            case RaiseAlert a: Assert.True(_ids.Add(a.Id), $"alert {a.Id} twice"); break;
        }
    }

    private void Describe(DescribeInstance d)
    {
        if (Chance(0.05))
        {
            Later(3, at => new FailoverEvent.DescribeFailed(at, d.Run, CloudFailure.Transient, ""));
            return;
        }

        var sight = new InstanceSight("i-1", _vm, _vm is InstanceState.Running or InstanceState.Pending ? [Story.A] : [], _vm == InstanceState.Stopped && _byOwner);
        Later(0.5, at => new FailoverEvent.InstanceSeen(at, d.Run, sight));
    }

    private void Start(StartInstance s)
    {
        Assert.True(
            _state.Orders.Open(_at) || _state.Orders.Drill || _state.Outage is { Cause: not OutageCause.Unknown } && (_state.Watch.Primary == Usable.No || _state.Phase is Phase.Starting),
            $"I5: start while the primary is {_state.Watch.Primary}");
        if (Chance(0.1))
        {
            Later(2, at => new FailoverEvent.StartFailed(at, s.Run, CloudFailure.Transient, ""));
            return;
        }

        if (_vm == InstanceState.Stopped)
        {
            (_vm, _vmChanges, _byOwner, _refusing) = (InstanceState.Pending, _at + TimeSpan.FromSeconds(20), false, false);
        }

        if (Chance(0.1))
        {
            Later(2, at => new FailoverEvent.StartFailed(at, s.Run, CloudFailure.LostReply, ""));
        }
        else
        {
            Later(1, at => new FailoverEvent.StartAccepted(at, s.Run));
        }
    }

    private void Stop(StopInstance s)
    {
        Assert.True(_people == 0, $"I2: seed {seed}: stopped under {_people} people");
        if (Chance(0.2))
        {
            Later(2, at => new FailoverEvent.StopFailed(at, s.Run, CloudFailure.Transient, ""));
            return;
        }

        if (_vm is InstanceState.Running or InstanceState.Pending)
        {
            (_vm, _vmChanges, _byOwner) = (InstanceState.Stopping, _at + TimeSpan.FromSeconds(30), false);
        }

        Later(1, at => new FailoverEvent.StopAccepted(at, s.Run));
    }

    /// <summary>I3: once the world has been calm for three minutes with the primary down, the backup working and no orders, it serves.</summary>
    private void Check()
    {
        var needed = _primary == Usable.No && _backup == Usable.Yes && !_state.Orders.Paused(_at) && !_state.Orders.Closed(_at);
        _neededSince = needed ? _neededSince ?? _at : null;
        if (_neededSince is { } since && _at - since > TimeSpan.FromMinutes(3) && _at - _calmSince > TimeSpan.FromMinutes(3) && _tunnelUp)
        {
            Assert.True(_state.Phase is Phase.Serving, $"I3: seed {seed}: {_state.Phase} after {_at - since}");
        }
    }
}
