using System.Globalization;
using System.Runtime.CompilerServices;
using Common.Time;
using InternalHost.Cloud;
using InternalHost.Failover;
using InternalHost.Wan.Detection;

namespace InternalHost.Simulation;

/// <param name="At">Calendar time in the world.</param>
internal sealed record Violation(string Invariant, TimeSpan At, string What);

/// <summary>
/// The design's invariants, held against the world's truth: the provider's machines, the gateway's texts, the lines as they are; never
/// against what the controller believes.
/// </summary>
internal sealed partial class Invariants
{
    public static readonly string[] Names = ["I1", "I2", "I3", "I4", "I5", "I6", "I7", "I8", "I9", "I10", "I11"];

    private readonly World _world;
    private readonly long[] _checked = new long[Names.Length + 1];
    private readonly int[] _lasting = new int[(int)Domain.Count];
    private readonly Instant[] _calmSince = new Instant[(int)Domain.Count];

    public Invariants(World world)
    {
        _world = world;
        Alerts = new AlertBook(world);
        Orders = new OrderBook(world);
        Array.Fill(_calmSince, Agenda.Origin);
    }

    public AlertBook Alerts { get; }

    public OrderBook Orders { get; }

    /// <summary>The first; the world ends with it.</summary>
    public Violation? Violation { get; private set; }

    public long Checked(int invariant) => _checked[invariant];

    public void Violate(int invariant, string what) => Violation ??= new Violation(Names[invariant - 1], _world.Agenda.Calendar, what);

    /// <summary>The controller was told what it cannot be told (<see cref="PairsThatCannotBe"/>).</summary>
    public void Surprised(string what) => Violation ??= new Violation("pairs", _world.Agenda.Calendar, what);

    /// <summary>Counts one look at an invariant, and ends the world where it does not hold.</summary>
    /// <param name="otherwise">Put into words only then.</param>
    public void Hold(int invariant, bool holds, [InterpolatedStringHandlerArgument(nameof(holds))] ref Words otherwise)
    {
        _checked[invariant]++;
        if (!holds)
        {
            Violate(invariant, otherwise.ToString());
        }
    }

    [InterpolatedStringHandler]
    internal ref struct Words
    {
        private DefaultInterpolatedStringHandler _text;

        public Words(int literalLength, int formattedCount, bool holds, out bool needed)
        {
            needed = !holds;
            _text = needed ? new(literalLength, formattedCount, CultureInfo.InvariantCulture) : default;
        }

        public void AppendLiteral(string value) => _text.AppendLiteral(value);

        public void AppendFormatted<T>(T value) => _text.AppendFormatted(value);

        public void AppendFormatted<T>(T value, string? format) => _text.AppendFormatted(value, format);

        public override string ToString() => _text.ToStringAndClear();
    }

    /// <param name="change">1: it begins to last. -1: it ends. 0: it is over in the moment in which it comes.</param>
    public void Disturbed(FaultKind kind, int change)
    {
        var domain = (int)Domains[(int)kind];
        _lasting[domain] += change;
        _calmSince[domain] = _world.Now;
        if (kind == FaultKind.WallJump)
        {
            Orders.WallMoved();
        }

        if ((Domain)domain is not Domain.Sms)
        {
            _serveBy = null;
        }
    }

    /// <summary>For how long nothing of this kind has begun, lasted or ended.</summary>
    private TimeSpan Calm(Domain domain) => _lasting[(int)domain] > 0 ? TimeSpan.Zero : _world.Now - _calmSince[(int)domain];

    /// <summary>Everything that a start, a tunnel or a stop needs has been well for so long.</summary>
    private TimeSpan CalmAround()
    {
        var calm = Calm(Domain.Machine);
        calm = Shorter(calm, Calm(Domain.Api));
        calm = Shorter(calm, Calm(Domain.Bastion));
        return Shorter(calm, Calm(Domain.Backup));
    }

    /// <summary>The gateway and a way to it have been well for so long.</summary>
    public TimeSpan CalmForAlerts => Shorter(Shorter(Calm(Domain.Sms), Calm(Domain.Machine)), Calm(Domain.Backup));

    private static TimeSpan Shorter(TimeSpan a, TimeSpan b) => a < b ? a : b;

    private static readonly Domain[] Domains = [.. Enum.GetValues<FaultKind>().Select(DomainOf)];

    private enum Domain
    {
        Primary = 0,
        Backup = 1,
        Machine = 2,
        Api = 3,
        Bastion = 4,
        Sms = 5,
        People = 6,
        Count = 7,
    }

    private static Domain DomainOf(FaultKind kind) => kind switch
    {
        < FaultKind.BackupDark => kind is FaultKind.WitnessDead or FaultKind.DnsOperatorsDead ? Domain.Backup : Domain.Primary,
        < FaultKind.PowerCut => Domain.Backup,
        < FaultKind.ApiUnreachable => Domain.Machine,
        < FaultKind.SshdRefuses => Domain.Api,
        < FaultKind.GatewayDead => Domain.Bastion,
        < FaultKind.PersonLogsIn => Domain.Sms,
        _ => Domain.People,
    };

    /// <summary>After every step.</summary>
    public void Check()
    {
        Hold(1, _world.Provider.Running <= 1, $"{_world.Provider.Running} machines run");
        CheckServing();
        CheckDoor();
        CheckStopped();
        CheckVerdicts();
        CheckTunnel();
        CheckOwner();
        CheckTold();
        Orders.Check();
        Alerts.Check();
    }

    public void Died(Inside inside)
    {
        _calmSince[(int)Domain.Machine] = _world.Now;
        _serveBy = null;
        Orders.Died(inside);
        // What the owner did was known in memory only: after a kill it is not known at all.
        _ownerStopHolds &= Orders.Kept;
        Alerts.Died(inside);
    }

    /// <summary>Waits for the calm after a scene: it comes, or something is stuck.</summary>
    public void Settling(TimeSpan since, TimeSpan limit)
    {
        if (since < limit || _world.Inside is not { } inside)
        {
            return;
        }

        var (which, what) = inside switch
        {
            { Outbox.OpenCount: > 0 } => (4, $"{inside.Outbox.OpenCount} deliveries are still open"),
            { State.Phase: not Phase.Standby } => (2, $"still {inside.State.Phase}"),
            { State.Outage: not null } => (2, $"outage {inside.State.Outage} has not ended"),
            { Uplinks.IsSettled: false } => (5, $"primary {inside.Uplinks.Usable(UplinkName.Primary)} ({inside.Uplinks.Reason(UplinkName.Primary)}), backup {inside.Uplinks.Usable(UplinkName.Backup)}"),
            _ => (2, $"not at rest: {inside.State}"),
        };
        Violate(which, $"{since.TotalHours:F0} h after the last fault: {what}");
    }

    public void Settled() => Alerts.Settled();

    public void Accepted(Gateway.Text text) => Alerts.Accepted(text);

    /// <summary>A wall clock that is wrong explains why another invariant broke: I8 is the one to name.</summary>
    private int Blame(int invariant) => _world.WallOffset == TimeSpan.Zero ? invariant : 8;
}
