using System.Collections.Immutable;
using System.Reflection;
using Common.Alerts;
using Common.Time;
using InternalHost.Control;
using InternalHost.Failover;
using InternalHost.Naming;
using InternalHost.Pins;
using InternalHost.Sync;
using InternalHost.Tunnel;
using InternalHost.Wan;
using InternalHost.Wan.Clock;
using InternalHost.Wan.Detection;
using InternalHost.Wan.Probes;

namespace InternalHost.Running;

/// <summary>Puts the parts' snapshots together into one report. Recomputes nothing.</summary>
internal sealed class StatusBuilder(
    LiveOptions options,
    WanService wan,
    FailoverService failover,
    FailoverJournal journal,
    TunnelService tunnel,
    OutboxService outbox,
    TrustedTime trusted,
    OutageMeter meter,
    string? diskProblem,
    TimeProvider time)
{
    public static readonly string Version = typeof(StatusBuilder).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion.Split('+')[0] ?? "0";

    /// <summary>Why the probes are not recorded; null: they are, or need not be.</summary>
    public Func<string?> RecordingProblem { get; init; } = () => null;

    /// <summary>From where the bastion sees the tunnel; null: not known.</summary>
    public Func<System.Net.IPAddress?> Egress { get; init; } = () => null;

    /// <summary>What the bastion knows of people; null: nothing is pushed there.</summary>
    public Func<SyncState?> Sync { get; init; } = () => null;

    /// <summary>Whether logins to this host are seen.</summary>
    public Func<LoginsStatus?> Logins { get; init; } = () => null;

    /// <summary>How the bastion's name stands; null: it is not ours to set.</summary>
    public Func<NameState?> Name { get; init; } = () => null;

    /// <summary>The bastion's host keys that are accepted.</summary>
    public Func<ImmutableArray<Pin>> Pins { get; init; } = () => [];

    public StatusReport Build()
    {
        var now = Instant.Now(time);
        var state = failover.Snapshot;
        var alerts = outbox.Snapshot;
        return new StatusReport(
            Version,
            options.Now.Site,
            trusted.Now,
            Clock(),
            new UplinksStatus(Uplink(wan.Primary, now), Uplink(wan.Backup, now)) { Wiring = options.Now.Wiring },
            Controller(state, now),
            Vm(state, now),
            Tunnel(tunnel.Snapshot, now) with { Egress = Egress()?.ToString() },
            new SessionsStatus(state.Watch.Sessions, StatusReport.Seconds(Age(state.Watch.SessionsAt, now))),
            Alerts(alerts, now),
            new JournalStatus(journal.Problem is null && diskProblem is null, journal.Problem ?? diskProblem),
            meter.Read(state.Outage) is { } bytes ? new BytesStatus(bytes.Sent, bytes.Received) : new BytesStatus(null, null))
        {
            People = Sync() is { } sync ? People(sync, now) : null,
            Logins = Logins(),
            Name = Name() is { } name ? new NameStatus(name.Name, name.State, name.Problem) : null,
            Pins = Pins() is { IsEmpty: false } pins ? [.. pins.Select(PinStatus.Of)] : null,
            Recording = RecordingProblem() is { } problem ? new RecordingStatus(false, problem) : new RecordingStatus(true),
        };
    }

    /// <summary>Everything known to be wrong, in plain words; empty: nothing is.</summary>
    public IReadOnlyList<string> Problems()
    {
        var report = Build();
        var problems = new List<string>();
        // Not to watch it (wiring D) is the owner's choice.
        if (report.Uplinks.Primary.Usable != Usable.Yes && report.Uplinks.Primary.Reason != Reasons.NotWatched)
        {
            problems.Add($"primary is {report.Uplinks.Primary.State} ({report.Uplinks.Primary.Reason})");
        }

        if (report.Uplinks.Backup.Usable != Usable.Yes)
        {
            problems.Add($"backup is {report.Uplinks.Backup.State} ({report.Uplinks.Backup.Reason})");
        }

        AddIf(problems, report.Vm.Problem, "the provider: ");
        AddIf(problems, report.Journal.Problem, "the journal: ");
        AddIf(problems, report.Recording?.Problem, "the recording of the probes: ");
        AddIf(problems, report.Logins?.Problem, "logins to this host: ");
        AddIf(problems, report.Alerts.Problem, "alerts: ");
        if (report.Alerts.Dead > 0)
        {
            problems.Add($"{report.Alerts.Dead} messages will not arrive");
        }

        AddIf(problems, report.Name?.Problem, $"{report.Name?.Name}: ");
        AddIf(problems, report.People?.Problem, "people at the bastion: ");
        if (report.Controller is { State: "Starting" or "Connecting" })
        {
            problems.Add($"the way in is wanted and not open ({report.Tunnel.Reason?.ToString() ?? report.Controller.State})");
        }

        problems.AddRange(report.Tunnel.Forwards.Where(f => f.State != "open" && report.Controller.State is "Serving" or "Draining").Select(f => $"service {f.Name}: {f.State} {f.Reason}".TrimEnd()));
        return problems;
    }

    private static void AddIf(List<string> problems, string? problem, string of)
    {
        if (problem is not null)
        {
            problems.Add(of + problem);
        }
    }

    private ClockStatus Clock() => new(trusted.Source == TimeSource.Floor ? false : true, trusted.Source.ToString().ToLowerInvariant());

    private static AlertsStatus Alerts(OutboxSnapshot alerts, Instant now)
    {
        var refused = alerts.Refused.FirstOrDefault() is { } first ? $"{first.Channel} does not work: {first.Reason}" : null;
        return new AlertsStatus(alerts.Pending, alerts.Dead, alerts.Problem ?? refused ?? alerts.LastError)
        {
            Refused = alerts.Refused.IsEmpty ? null : [.. alerts.Refused.Select(lane => new RefusedChannelStatus(
                lane.Channel, lane.Recipient is null, lane.Code, lane.Reason, StatusReport.Seconds(now - lane.Since), StatusReport.Seconds(lane.Trial > now ? lane.Trial - now : TimeSpan.Zero)))],
        };
    }

    private static UplinkStatus Uplink(UplinkReport report, Instant now) =>
        new(report.State, report.Usable, StatusReport.Seconds(now - report.Since), report.Reason)
        {
            PublicAddress = report.Seen?.Address.ToString(),
            PublicAddressAgeS = StatusReport.Seconds(Age(report.Seen?.At, now)),
        };

    private ControllerStatus Controller(FailoverState state, Instant now) => new(
        state.Phase.Name,
        state.Outage?.Number,
        StatusReport.Seconds(Age(state.Outage?.Since, now)),
        state.Outage?.Cause.ToString(),
        new OrdersStatus(
            Left(state.Orders.OpenUntil, now),
            Left(state.Orders.PausedUntil, now),
            state.Orders.Paused(now) ? state.Orders.PausedWhy : null,
            Left(state.Orders.ClosedUntil, now),
            state.Orders.Closed(now) ? state.Orders.ClosedBy : null),
        WaitingFor(state, now));

    private string? WaitingFor(FailoverState state, Instant now) => state switch
    {
        { Phase: Phase.Standby, Outage: not null } when state.Orders.Closed(now) => "the owner wants it closed",
        { Phase: Phase.Standby, Outage: not null, Watch.Backup: not Usable.Yes } => "a usable backup",
        { Phase: Phase.Standby, Watch.Primary: Usable.No } when state.Orders.Paused(now) => "the end of the pause",
        { Phase: Phase.Starting } => "the VM",
        { Phase: Phase.Connecting } => "the tunnel",
        { Phase: Phase.Draining, Watch.Sessions: null } => "the bastion's answer, who is there",
        { Phase: Phase.Draining, Watch.Sessions: > 0 } => "people to leave",
        { Phase: Phase.Draining p } when p.DrainAsked => "the bastion to be done",
        { Phase: Phase.Draining { EmptySince: { } empty } } => $"nobody to come back for {Math.Max(0, (empty + options.Policy.Linger - now).TotalSeconds):F0} s more",
        { Phase: Phase.Stopping } => "the provider to confirm the stop",
        _ => null,
    };

    private static VmStatus Vm(FailoverState state, Instant now) => new(
        state.Watch.Instance?.State ?? Cloud.InstanceState.Unknown,
        state.Watch.Instance?.Addresses.FirstOrDefault()?.ToString(),
        state.Watch.Instance is null ? null : StatusReport.Seconds(now - state.Watch.InstanceAt),
        state.Watch.CloudTrouble);

    private static PeopleStatus People(SyncState sync, Instant now) => new(
        sync.InForce,
        sync.InForce is null ? null : StatusReport.Seconds(now - sync.InForceAt),
        sync.Problem?.Failure.ToString(),
        sync.Problem?.Detail,
        sync.Problem is null ? null : StatusReport.Seconds(now - sync.ProblemAt),
        Left(sync.NextTry, now));

    private static TunnelStatus Tunnel(TunnelSnapshot tunnel, Instant now) => new(
        tunnel switch
        {
            { Verified: not null, Busy: true } => "busy",
            { Verified: not null } => "verified",
            { State: "BackingOff" } => "waiting",
            { State: "Forwarding" or "Verifying" } => "connecting",
            _ => tunnel.State.ToLowerInvariant(),
        },
        StatusReport.Seconds(Age(tunnel.Verified, now)),
        tunnel.Last?.Reason,
        tunnel.Last?.Detail,
        tunnel.Run,
        tunnel.Remote?.ToString(),
        [.. tunnel.Forwards.Select(f => new Control.ForwardStatus(
            f.Name, f.BastionPort, f.Target, !f.Listening ? "closed" : f.TargetDown == true ? "target_down" : "open", f.Refused?.ToString()))]);

    private static TimeSpan? Age(Instant? at, Instant now) => at is { } moment ? now - moment : null;

    private static double? Left(Instant? until, Instant now) => until is { } moment && moment > now ? StatusReport.Seconds(moment - now) : null;
}
