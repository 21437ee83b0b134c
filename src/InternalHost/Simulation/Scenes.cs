using InternalHost.Wan.Detection;
using static InternalHost.Simulation.FaultKind;

namespace InternalHost.Simulation;

/// <summary>Draws what goes wrong together: an outage with everything that may come on top, a bad line, or a quiet day's mishap.</summary>
/// <param name="without">Faults that this world does not know.</param>
internal sealed class Scenes(Chance chance, bool crash, IReadOnlySet<FaultKind> without)
{
    private static readonly FaultKind[] Lines =
        [Blackout, Blackout, OneWay, CarrierLoss, PppoeGone, LeaseLoss, IspOnly, Portal, Hijack, EgressFallover, EgressFallover, Brownout, BothDark, PowerCut];

    private static readonly FaultKind[] Small =
        [Micro, Micro, Micro, Loss, Brownout, Latency, WitnessDead, IspDnsDead, DnsOperatorsDead, BackupDark, BackupSlow, LoopLate, NatForgot, CarrierLoss];

    private static readonly FaultKind[] OnTop =
    [
        BackupDark, BackupMetered, BackupSlow, Micro, BothDark, Reboot, LoopLate, WallJump, WallJump, DiskFull, DiskReadOnly, ApiUnreachable, ApiSlow,
        ApiThrottles, ApiLosesRequests, ApiLosesReplies, ApiLosesReplies, ApiStale, NoCapacity, KeyRefused, SlowBoot, SlowStop, AddressMoved, Terminated,
        SshdRefuses, SshdSilent, SshdLags, LoginDenied, StrangerAtAddress, PortTaken, TunnelDropped, TunnelDropped, NatForgot, AgentSilent, AgentSilent,
        AptBusy, InnerSshDown, GatewayDead, GatewayBusy, GatewayLosesRequests, GatewayLosesReplies, GatewayLosesReplies, GatewayRefuses,
        GatewayNeverConfirms, PhoneOff, PersonLogsIn, PersonLogsIn, PersonLogsIn, OwnerStops, OwnerStarts, OperatorOpens, OperatorCloses, OperatorPauses,
        OperatorResumes, DrillAsked,
    ];

    private static readonly FaultKind[] Peace =
    [
        OwnerStarts, OwnerStarts, OperatorOpens, OperatorOpens, OperatorCloses, OperatorPauses, OperatorResumes, DrillAsked, WallJump, DiskFull,
        DiskReadOnly, Reboot, LoopLate, ApiUnreachable, KeyRefused, GatewayDead, BackupDark, NewWiring,
    ];

    private static readonly FaultKind[] Odd =
    [
        OperatorOpens, OperatorCloses, OperatorPauses, OperatorResumes, DrillAsked, OwnerStarts, OwnerStops, PersonLogsIn, PersonLogsIn, Blackout, Micro, BackupDark,
        BothDark, HostDied, Terminated, TunnelDropped, AddressMoved, AgentSilent, AgentSilent, AptBusy, AptBusy, InnerSshDown, ApiSlow, ApiStale, KeyRefused, LoopLate,
    ];

    private static readonly string[] OddMoments = [.. Coverage.Phases.Where(p => p != "Standby"), "Draining", "Refusing", "Stopping"];

    private static readonly Cut[] Cuts = [.. Enum.GetValues<Cut>().Where(c => c != Cut.Unknown)];

    private readonly List<Fault> _faults = [];

    public IReadOnlyList<Fault> Draw()
    {
        var kind = chance.Next();
        var length = kind < 0.34 ? Outage() : kind < 0.7 ? BadLine() : Mishap();
        if (crash)
        {
            Crashes(length);
        }

        if (chance.Hit(0.5))
        {
            Ambushes();
        }

        _faults.RemoveAll(f => without.Contains(f.Kind));
        return _faults;
    }

    private TimeSpan Outage()
    {
        var lasts = chance.LogSeconds(15, chance.Hit(0.1) ? 20_000 : 2_400);
        Line(chance.Pick<FaultKind>(Lines), TimeSpan.FromSeconds(60), lasts);
        var end = TimeSpan.FromSeconds(60) + lasts;
        if (chance.Hit(0.35))
        {
            // It comes back, and goes again while the way in is being closed.
            var gap = chance.LogSeconds(20, 1500);
            var again = chance.LogSeconds(15, 1200);
            Line(chance.Pick<FaultKind>(Lines), end + gap, again);
            end += gap + again;
        }

        for (var extra = chance.Below(6); extra > 0; extra--)
        {
            Add(chance.Pick<FaultKind>(OnTop), chance.Next() * (end + TimeSpan.FromMinutes(15)), chance.LogSeconds(5, 1500));
        }

        return end;
    }

    private TimeSpan BadLine()
    {
        for (var n = 1 + chance.Below(6); n > 0; n--)
        {
            Add(chance.Pick<FaultKind>(Small), chance.Seconds(0, 500), chance.LogSeconds(5, 400));
        }

        return TimeSpan.FromMinutes(10);
    }

    private TimeSpan Mishap()
    {
        Add(chance.Pick<FaultKind>(Peace), TimeSpan.FromSeconds(30), chance.LogSeconds(20, 3000));
        for (var n = chance.Below(4); n > 0; n--)
        {
            Add(chance.Pick<FaultKind>(chance.Hit(0.7) ? OnTop : Small), chance.Seconds(0, 1500), chance.LogSeconds(10, 1500));
        }

        if (chance.Hit(0.2))
        {
            Line(Blackout, chance.Seconds(0, 600), chance.LogSeconds(15, 900));
        }

        return TimeSpan.FromMinutes(25);
    }

    private void Crashes(TimeSpan length)
    {
        for (var n = chance.Below(4); n > 0; n--)
        {
            _faults.Add(new Fault(Crash, chance.Next() * (length + TimeSpan.FromMinutes(15)), TimeSpan.Zero, (int)chance.Pick<Cut>(Cuts)));
        }
    }

    /// <summary>At the odd moments, which a time drawn from the whole scene hardly meets.</summary>
    private void Ambushes()
    {
        for (var n = 1 + chance.Below(3); n > 0; n--)
        {
            var kind = chance.Pick<FaultKind>(Odd);
            Add(kind, chance.LogSeconds(0.05, 60), chance.LogSeconds(1, 900));
            _faults[^1] = _faults[^1] with { In = chance.Pick<string>(OddMoments) };
        }
    }

    /// <summary>One of the ways in which the primary dies.</summary>
    private void Line(FaultKind kind, TimeSpan at, TimeSpan lasts)
    {
        switch (kind)
        {
            case PowerCut:
                // Both modems start anew; the cellular one is back first, the cable follows or stays dead.
                var off = chance.LogSeconds(5, 600);
                _faults.Add(new Fault(PowerCut, at, off));
                _faults.Add(new Fault(BackupDark, at, off + chance.Seconds(30, 120)));
                _faults.Add(new Fault(Blackout, at, off + chance.Seconds(60, 240) + (chance.Hit(0.5) ? lasts : TimeSpan.Zero)));
                break;
            case BothDark:
                _faults.Add(new Fault(BothDark, at, chance.LogSeconds(5, 300)));
                _faults.Add(new Fault(Blackout, at, lasts));
                break;
            default:
                Add(kind, at, lasts);
                break;
        }
    }

    private void Add(FaultKind kind, TimeSpan at, TimeSpan lasts) => _faults.Add(kind switch
    {
        Micro => new(kind, at, chance.Seconds(1, 4)),
        Loss => new(kind, at, lasts, 0.3),
        Brownout => new(kind, at, lasts, chance.Between(0.1, 0.6)),
        Latency => new(kind, at, lasts, chance.Between(200, 900)),
        BackupSlow => new(kind, at, lasts, chance.Between(200, 900)),
        WitnessDead => new(kind, at, lasts, (int)chance.Pick<WitnessName>([WitnessName.DnsA, WitnessName.DnsB, WitnessName.TlsA, WitnessName.TlsB])),
        Reboot => new(kind, at, TimeSpan.Zero, chance.Between(15, 120)),
        LoopLate => new(kind, at, TimeSpan.Zero, chance.LogSeconds(0.6, 20).TotalSeconds),
        WallJump => new(kind, at, lasts, chance.Hit(0.5) ? chance.Between(-56, -1) : chance.Between(1, 12)),
        OwnerStops => new(kind, at, TimeSpan.Zero, chance.Hit(0.3) ? 1 : 0),
        PersonLogsIn => new(kind, at, TimeSpan.Zero, chance.LogSeconds(60, 14_400).TotalSeconds),
        OperatorOpens or OperatorPauses => new(kind, at, TimeSpan.Zero, chance.LogSeconds(120, 7_200).TotalSeconds),
        NewWiring or AddressMoved or Terminated or HostDied or TunnelDropped or NatForgot or OwnerStarts or OperatorCloses or OperatorResumes or DrillAsked =>
            new(kind, at, TimeSpan.Zero),
        _ => new(kind, at, lasts),
    });
}
