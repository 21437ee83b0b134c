using Common.Time;
using InternalHost.Failover;
using InternalHost.Tunnel;
using InternalHost.Wan.Detection;

namespace InternalHost.Simulation;

/// <content>I5, I7, I9, I11: what is known, and what is said.</content>
internal sealed partial class Invariants
{
    private static readonly TimeSpan VerdictWithin = TimeSpan.FromSeconds(60);

    /// <summary>Damping makes a flapping line prove itself for ten minutes.</summary>
    private static readonly TimeSpan TrustedWithin = TimeSpan.FromMinutes(13);

    private static readonly TimeSpan EgressWithin = TimeSpan.FromSeconds(90);
    private static readonly TimeSpan StuckWithin = TimeSpan.FromSeconds(150);

    private Instant _darkSince = Instant.Never;
    private Instant _cleanSince = Instant.Never;
    private Instant _otherSince = Instant.Never;
    private Instant _shutSince = Instant.Never;

    public void Stepped(FailoverState before, FailoverEvent ev, FailoverStep step)
    {
        Orders.Stepping(ev);
        Orders.Stepped(before, step);
        // The operator's word outranks the owner's stop as it outranks the detector; and the outage that it was said of may end in the daemon's last moment.
        _ownerStopHolds &= ev is not (FailoverEvent.OperatorResumed or FailoverEvent.UplinkSeen { Uplink: UplinkName.Primary, Usable: Usable.Yes });
        _anybodysStop = step.Next is { Phase: Phase.Starting { Before: null }, Outage.Launch: null };
        if (before.Phase is not Phase.Starting && step.Next.Phase is Phase.Starting && _world.Inside is { } inside)
        {
            var told = inside.Uplinks.Usable(UplinkName.Primary);
            var asked = Orders.IsOpen || before.Orders.Drill || ev is FailoverEvent.OperatorOpened or FailoverEvent.DrillRequested;
            var goesOn = before.Phase is not Phase.Standby && told == Usable.Unknown;
            Hold(6, before.Phase is not Phase.Standby || Orders.MayStart, $"a start is asked for although {Orders}");
            Hold(5, told == Usable.No || asked || goesOn, $"a start is asked for while the primary is {told} ({inside.Uplinks.Reason(UplinkName.Primary)})");
        }
    }

    /// <summary>I5, second half: doubt ends. And its mirror: a line that is well is believed. I9: only what leaves by itself is up.</summary>
    private void CheckVerdicts()
    {
        var (primary, backup) = (_world.LinkOf(UplinkName.Primary), _world.LinkOf(UplinkName.Backup));
        if (_world.Inside is not { IsStalled: false } inside || Calm(Domain.Machine) < TimeSpan.FromSeconds(1))
        {
            _darkSince = _cleanSince = _otherSince = Instant.Never;
            return;
        }

        var known = inside.Uplinks.Pair.Primary.EverUp;
        _darkSince = primary.Dark && backup.Clean && known ? Instant.Min(_darkSince, _world.Now) : Instant.Never;
        _cleanSince = primary.Clean && backup.Clean ? Instant.Min(_cleanSince, _world.Now) : Instant.Never;
        _otherSince = primary.ByOther && backup.Clean ? Instant.Min(_otherSince, _world.Now) : Instant.Never;
        var told = inside.Uplinks.Usable(UplinkName.Primary);
        _checked[5]++;
        if (_darkSince != Instant.Never && _world.Now - _darkSince > VerdictWithin && told != Usable.No)
        {
            Violate(5, $"dark for a minute with a good backup, and still {told} ({inside.Uplinks.Reason(UplinkName.Primary)})");
        }

        if (_cleanSince != Instant.Never && _world.Now - _cleanSince > TrustedWithin && told != Usable.Yes)
        {
            Violate(5, $"well for {TrustedWithin.TotalMinutes:F0} min, and still {told} ({inside.Uplinks.Reason(UplinkName.Primary)})");
        }

        if (_otherSince != Instant.Never)
        {
            Hold(9, _world.Now - _otherSince <= EgressWithin || told != Usable.Yes, $"the primary leaves by the backup for 90 s and is said to be up");
        }
    }

    /// <summary>I7: "up" is never older than two probe intervals.</summary>
    private void CheckTunnel()
    {
        if (_world.Inside is { } inside && !inside.IsStalled && _world.Parts.SaysUp(inside.Tunnel))
        {
            var proven = (inside.Tunnel.State as TunnelState.Up)?.Proven ?? inside.Tunnel.LastProof;
            Hold(7, _world.Now - proven <= TimeSpan.FromSeconds(30) || Calm(Domain.Machine) < TimeSpan.FromSeconds(30), $"the tunnel is said to be up; last proof {(_world.Now - proven).TotalSeconds:F0} s ago");
        }
    }

    /// <summary>I11, as far as it exists: a way in that is needed and shut is told; a disk that fails is shown.</summary>
    private void CheckTold()
    {
        if (_world.Inside is not { IsStalled: false } inside)
        {
            _shutSince = Instant.Never;
            return;
        }

        _checked[11]++;
        var shut = inside.Uplinks.Usable(UplinkName.Primary) == Usable.No && inside.State.Phase is not (Phase.Serving or Phase.Draining or Phase.Stopping)
            && Orders is { IsClosed: false, IsPaused: false } && !OwnerHolds;
        _shutSince = shut ? Instant.Min(_shutSince, _world.Now) : Instant.Never;
        if (shut && _world.Now - _shutSince > StuckWithin && Calm(Domain.Machine) > StuckWithin && Calm(Domain.People) > StuckWithin && inside.State.Outage is not { StuckTold: not null })
        {
            Violate(11, $"no way in for {StuckWithin.TotalSeconds:F0} s of outage, and nobody was told: {inside.State.Phase.Name}, {inside.State.Outage}");
        }
    }
}
