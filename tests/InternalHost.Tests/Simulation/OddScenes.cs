using InternalHost.Simulation;
using static InternalHost.Simulation.FaultKind;

namespace InternalHost.Tests.Simulation;

/// <summary>Scenes that bring about what years of chance hardly do: something happens while the controller is in one of its states.</summary>
internal static class OddScenes
{
    /// <summary>By name; each is lived with several seeds and with both lifecycles.</summary>
    public static readonly Dictionary<string, Fault[]> ByName = new(StringComparer.Ordinal)
    {
        ["orders while people are refused"] =
        [
            .. Outage(150), At(AptBusy, 0, 3_000), In("Refusing", OperatorPauses, 12, level: 60), In("Refusing", OperatorResumes, 14), .. Flicker("Refusing", 20, 6),
            In("Refusing", ApiUnreachable, 60, 70), In("Refusing", DrillAsked, 140), In("Refusing", OperatorCloses, 150), In("Refusing", OperatorOpens, 200, level: 130),
        ],
        ["uplinks while people are refused"] =
        [
            At(OwnerStarts, 20), At(AptBusy, 0, 4_000), In("Refusing", BackupDark, 10, 900), In("Refusing", BothDark, 1_300, 12), In("Refusing", Blackout, 1_400, 60),
        ],
        ["host dies while people are refused"] = [.. Outage(100), At(AptBusy, 0, 3_000), In("Refusing", HostDied, 12)],
        ["owner pulls the plug while people are refused"] = [.. Outage(100), At(AptBusy, 0, 3_000), In("Refusing", OwnerStops, 12, level: 1)],
        ["owner stops it while people are refused"] = [.. Outage(100), At(AptBusy, 0, 3_000), In("Refusing", BackupDark, 11, 60), In("Refusing", OwnerStops, 11.5)],
        ["somebody comes as people are refused"] = [.. Outage(100), In("Refusing", PersonLogsIn, 0.01, level: 90), In("Refusing", AgentSilent, 1, 40)],
        ["needed again while the agent is silent"] = [.. Outage(100), In("Refusing", AgentSilent, 0, 100), In("Refusing", OperatorOpens, 5, level: 60)],
        ["host dies while it serves"] = [.. Outage(500), .. Flicker("Serving", 0, 20), In("Serving", AgentSilent, 10, 60), In("Serving", HostDied, 30)],
        ["host dies while it drains"] = [.. Outage(60), .. Flicker("Draining", 0, 20), In("Draining", AgentSilent, 10, 60), In("Draining", HostDied, 30)],
        ["owner pulls the plug while it serves"] = [.. Outage(500), .. Flicker("Serving", 0, 20), In("Serving", AgentSilent, 10, 60), In("Serving", OwnerStops, 30, level: 1)],
        ["two pictures on their way when the owner pulls the plug"] =
            [.. Outage(500), In("Serving", ApiSlow, 20, 300), .. Many("Serving", TunnelDropped, 30, 8, 5), In("Serving", OwnerStops, 45, level: 1)],
        ["a slow provider from the first"] = [.. Outage(300), At(ApiSlow, 0, 900)],
        ["address moves while it serves"] = [.. Outage(300), In("Serving", AgentSilent, 5, 60), In("Serving", AddressMoved, 20)],
        ["both dark while it is held open"] = [At(OperatorOpens, 20, level: 600), In("Serving", BothDark, 60, 12)],
        ["owner starts it while it is to be closed"] = [At(OperatorCloses, 10), .. Outage(1_500), In("Waiting", OwnerStarts, 5)],
        ["owner starts a slow one while it is to be closed"] = [At(OperatorCloses, 10), .. Outage(1_500), At(SlowBoot, 0, 1_500), In("Waiting", OwnerStarts, 1)],
        ["owner starts and stops it while it is to be closed"] =
            [At(OperatorCloses, 10), .. Outage(1_500), At(SlowStop, 0, 1_500), In("Waiting", OwnerStarts, 1), In("Waiting", OwnerStops, 2)],
        ["orders while it waits"] =
        [
            At(OperatorCloses, 10), .. Outage(600), In("Waiting", DrillAsked, 5), In("Waiting", OperatorPauses, 10, level: 60), In("Waiting", OperatorCloses, 20),
            In("Waiting", OperatorResumes, 40), In("Starting", OperatorCloses, 1),
        ],
        ["opened while it waits"] = [At(OperatorCloses, 10), .. Outage(600), In("Waiting", OperatorOpens, 40, level: 60)],
        ["orders while it starts"] =
        [
            .. Outage(600), At(SlowBoot, 0, 900), In("Starting", OperatorPauses, 1, level: 30), In("Starting", OperatorResumes, 2), In("Starting", DrillAsked, 3),
            In("Starting", OperatorOpens, 4, level: 60), In("Starting", OperatorCloses, 5),
        ],
        ["orders while it stops"] =
        [
            .. Outage(60), In("Stopping", OperatorPauses, 1, level: 30), In("Stopping", OperatorResumes, 2), In("Stopping", DrillAsked, 3), In("Stopping", OperatorCloses, 4),
            In("Stopping", OperatorOpens, 5, level: 30),
        ],
        ["owner stops it while we cannot"] = [.. Outage(60), In("Refusing", KeyRefused, 0, 120), In("Stopping", OwnerStops, 20)],
        ["owner stops and starts it while we cannot"] =
            [.. Outage(60), In("Refusing", KeyRefused, 0, 300), In("Stopping", SlowBoot, 0, 900), In("Stopping", OwnerStops, 20, level: 1), In("Stopping", OwnerStarts, 290)],
        ["inner server comes and goes as it stops"] = [.. Outage(60), At(AptBusy, 0, 900), .. Flicker("Refusing", 0, 100)],
        ["owner starts it and stops it again"] = [At(SlowStop, 0, 1_500), At(OwnerStarts, 95), At(OwnerStops, 96)],
        ["owner stops it and the operator resumes"] = [.. Outage(1_500), In("Serving", OwnerStops, 30, level: 1), In("Waiting", OperatorResumes, 60)],
        ["owner starts it while our key is refused"] = [At(KeyRefused, 30, 900), At(OwnerStarts, 138)],
        ["owner pulls the plug on one of which nothing is known"] =
            [At(PowerCut, 20, 100), At(BackupDark, 20, 190), At(Blackout, 20, 600), In("Starting", OwnerStops, 0.3, level: 1)],
        ["owner stops one of which nothing is known, and a kill behind the second start"] =
            [At(PowerCut, 20, 100), At(BackupDark, 20, 190), At(Blackout, 20, 600), In("Starting", OwnerStops, 0.3, level: 1), In("Starting", Crash, 20, level: (int)Cut.BeforeResult)],
        ["gateway dead through outages and a drill"] =
            [At(GatewayDead, 30, 6_000), .. Outage(200), At(DrillAsked, 1_500), At(Blackout, 3_000, 200), At(DrillAsked, 4_200)],
        ["owner stops it while the disk takes nothing, and a kill"] =
            [At(DiskReadOnly, 30, 1_200), .. Outage(2_500), In("Serving", OwnerStops, 30, level: 1), In("Waiting", Crash, 60, level: (int)Cut.BetweenEvents)],
        ["owner stops it, a drill is asked for, the primary is back, and a kill behind the drill's start"] =
            [.. Outage(240), In("Serving", OwnerStops, 20), In("Waiting", DrillAsked, 5), In("Waiting", Crash, 40, level: (int)Cut.BeforeSend)],
        ["owner starts one that is seen late"] = [At(ApiSlow, 0, 600), At(OwnerStarts, 95)],
    };

    private static Fault[] Outage(double seconds) => [At(Blackout, 60, seconds)];

    private static Fault[] Flicker(string phase, double from, int times) => Many(phase, InnerSshDown, from, times, 5, 2.5);

    private static Fault[] Many(string phase, FaultKind kind, double from, int times, double each, double lasts = 0) =>
        [.. Enumerable.Range(0, times).Select(i => In(phase, kind, from + (i * each), lasts))];

    private static Fault At(FaultKind kind, double at, double lasts = 0, double level = 0) =>
        new(kind, TimeSpan.FromSeconds(at), TimeSpan.FromSeconds(lasts), level);

    private static Fault In(string phase, FaultKind kind, double at, double lasts = 0, double level = 0) => At(kind, at, lasts, level) with { In = phase };
}
