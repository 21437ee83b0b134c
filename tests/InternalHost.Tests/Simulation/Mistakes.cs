using Common.Alerts;
using InternalHost.Cloud;
using InternalHost.Failover;
using InternalHost.Simulation;
using InternalHost.Tunnel;
using InternalHost.Wan.Detection;
using Microsoft.Data.Sqlite;
using Advance = System.Func<InternalHost.Failover.FailoverState, InternalHost.Failover.FailoverEvent, InternalHost.Failover.FailoverPolicy, InternalHost.Failover.FailoverStep>;

namespace InternalHost.Tests.Simulation;

/// <param name="Breaks">The invariants that may be the first to show it.</param>
/// <param name="Plant">Made anew for each world: some of them remember.</param>
internal sealed record Mistake(string Breaks, Func<Parts> Plant);

/// <summary>The daemon with one mistake in it, by name.</summary>
internal static class Mistakes
{
    private static readonly Advance Right = FailoverMachine.Advance;

    public static readonly Dictionary<string, Mistake> ByName = new(StringComparer.Ordinal)
    {
        ["doubled create"] = new("I1", () => new Parts { Cloud = (world, cloud) => new DoublingCloud(world, cloud) }),
        ["answer of the cloud awaited for ever"] = new("I3", () => new Parts { Cloud = (_, cloud) => new SilentCloud(cloud) }),
        ["stop not retried"] = new("I2", () => new Parts { Controller = (s, e, p) => s.Phase is Phase.Stopping ? Without<FailoverEffect.StopInstance>(Right(s, e, p)) : Right(s, e, p) }),
        ["stop under a person"] = new("I2", () => new Parts { Controller = (s, e, p) => Right(s, AsIfEmpty(e), p) }),
        ["unknown primary ends an outage"] = new("I3 I5 I10", () => new Parts { Told = (name, _, usable) => name == UplinkName.Primary && usable == Usable.Unknown ? Usable.Yes : usable }),
        ["moved address not dialled"] = new("I2 I3 I11", () => new Parts { Controller = (s, e, p) => s.Watch.Dialled ? Without<FailoverEffect.OpenTunnel>(Right(s, e, p)) : Right(s, e, p) }),
        ["lost alert"] = new("I4", () => new Parts { Effects = (_, effects) => new ForgetfulEffects(effects) }),
        ["alert beside the transaction"] = new("I4", () => new Parts { Effects = (_, effects) => new LateAlerts(effects) }),
        ["alert not kept while the disk is full"] = new("I4", () => new Parts { Effects = (_, effects) => new DiskOnlyAlerts(effects) }),
        ["duplicate text without a look"] = new("I4", () => new Parts { Delivery = SendAgain }),
        ["LocalFault starts a VM"] = new("I5", () => new Parts { Told = (name, verdict, usable) => name == UplinkName.Primary && verdict.State == UplinkState.LocalFault ? Usable.No : usable }),
        ["order forgotten at restart"] = new("I6", () => new Parts { Controller = (s, e, p) => Right(e is FailoverEvent.Restarted ? s with { Orders = new Orders() } : s, e, p) }),
        ["pause ignored"] = new("I6", () => new Parts { Controller = (s, e, p) => Right(s, e is FailoverEvent.OperatorPaused o ? new FailoverEvent.Tick(o.At) : e, p) }),
        ["effects before the journal"] = new("I1", () => new EarlyEffects().Parts),
        ["no adoption after a crash"] = new("I2 I3", () => new Parts { Controller = new Stranger().Advance }),
        ["tunnel said up when stale"] = new("I7", () => new Parts { SaysUp = tunnel => tunnel.State is TunnelState.Wanting }),
        ["wall-clock decision"] = new("I6 I8", () => new Parts { Clock = time => new WallTime(time) }),
        ["egress ignored"] = new("I9", () => new Parts { Detector = options => options with { HasEgress = false } }),
        ["owner's stop undone"] = new("I10", () => new Parts { Controller = (s, e, p) => Right(s, e is FailoverEvent.InstanceSeen i ? i with { Sight = i.Sight with { StoppedByOwner = false } } : e, p) }),
        ["owner's start overlooked"] = new("I2 I10", () => new Parts { Controller = (s, e, p) => Right(s, s.Phase is Phase.Standby && e is FailoverEvent.InstanceSeen i ? AsStopped(i) : e, p) }),
        ["nobody told that it is stuck"] = new("I11", () => new Parts { Controller = (s, e, p) => Right(s, e, p with { StuckAfter = TimeSpan.FromMinutes(30) }) }),
        ["drain not undone at a second outage"] = new("I3", () => new Parts { Controller = (s, e, p) => Without<FailoverEffect.Undrain>(Right(s, e, p)) }),
        ["unknown sessions read as zero"] = new("I2", () => new Parts { Controller = (s, e, p) => Right(s, SilenceIsNobody(e), p) }),
    };

    /// <summary>An agent that does not answer has nobody on it.</summary>
    private static FailoverEvent SilenceIsNobody(FailoverEvent ev) => ev switch
    {
        FailoverEvent.SessionsSeen { Count: null } e => e with { Count = 0 },
        FailoverEvent.DrainAnswered { Detail: "no answer" } e => e with { Drained = true },
        _ => ev,
    };

    private static FailoverStep Without<T>(FailoverStep step)
        where T : FailoverEffect => step with { Effects = step.Effects.RemoveAll(e => e is T) };

    private static FailoverEvent.InstanceSeen AsStopped(FailoverEvent.InstanceSeen seen) => seen with { Sight = seen.Sight with { State = InstanceState.Stopped } };

    private static FailoverEvent AsIfEmpty(FailoverEvent ev) => ev switch
    {
        FailoverEvent.SessionsSeen e => e with { Count = 0 },
        FailoverEvent.DrainAnswered e => e with { Drained = true },
        _ => ev,
    };

    private static DeliveryStep SendAgain(Delivery delivery, DeliveryEvent ev, DeliveryPolicy policy)
    {
        var step = DeliveryMachine.Advance(delivery, ev, policy);
        return step.Next.Phase == DeliveryPhase.Doubtful ? step with { Next = step.Next with { Phase = DeliveryPhase.Pending } } : step;
    }

    /// <summary>Repeats a start whose reply was lost without looking what is there.</summary>
    private sealed class DoublingCloud(World world, ICloud inner) : ICloud
    {
        public Lifecycle Lifecycle => inner.Lifecycle;

        public Task<InstanceSight> DescribeAsync(CancellationToken ct) => inner.DescribeAsync(ct);

        public async Task StartAsync(CancellationToken ct)
        {
            try
            {
                await inner.StartAsync(ct);
            }
            catch (CloudException e) when (e.Failure == CloudFailure.LostReply)
            {
                world.Provider.StartAnother(Actor.Controller);
            }
        }

        public Task StopAsync(CancellationToken ct) => inner.StopAsync(ct);
    }

    /// <summary>Has no timeout of its own: whether a start was taken or refused is never heard.</summary>
    private sealed class SilentCloud(ICloud inner) : ICloud
    {
        public Lifecycle Lifecycle => inner.Lifecycle;

        public Task<InstanceSight> DescribeAsync(CancellationToken ct) => inner.DescribeAsync(ct);

        public Task StartAsync(CancellationToken ct)
        {
            _ = inner.StartAsync(ct).ContinueWith(t => t.Exception, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
            return new TaskCompletionSource().Task;
        }

        public Task StopAsync(CancellationToken ct) => inner.StopAsync(ct);
    }

    /// <summary>Journals an alert's transition, and forgets every third alert itself.</summary>
    private sealed class ForgetfulEffects(IFailoverEffects inner) : IFailoverEffects
    {
        private int _alerts;

        public void Run(FailoverEffect effect) => inner.Run(effect);

        public void AddAlert(SqliteTransaction transaction, FailoverEffect.RaiseAlert alert)
        {
            if (++_alerts % 3 != 0)
            {
                inner.AddAlert(transaction, alert);
            }
        }

        public void AddAlertInMemory(FailoverEffect.RaiseAlert alert) => inner.AddAlertInMemory(alert);

        public void AlertsAdded() => inner.AlertsAdded();
    }

    /// <summary>Puts alerts into the outbox after the transition is on disk: a kill between the two loses them.</summary>
    private sealed class LateAlerts(IFailoverEffects inner) : IFailoverEffects
    {
        private readonly List<FailoverEffect.RaiseAlert> _late = [];

        public void Run(FailoverEffect effect) => inner.Run(effect);

        public void AddAlert(SqliteTransaction transaction, FailoverEffect.RaiseAlert alert) => _late.Add(alert);

        public void AddAlertInMemory(FailoverEffect.RaiseAlert alert) => inner.AddAlertInMemory(alert);

        public void AlertsAdded()
        {
            _late.ForEach(inner.AddAlertInMemory);
            _late.Clear();
            inner.AlertsAdded();
        }
    }

    /// <summary>What the disk does not take is not told either.</summary>
    private sealed class DiskOnlyAlerts(IFailoverEffects inner) : IFailoverEffects
    {
        public void Run(FailoverEffect effect) => inner.Run(effect);

        public void AddAlert(SqliteTransaction transaction, FailoverEffect.RaiseAlert alert) => inner.AddAlert(transaction, alert);

        public void AddAlertInMemory(FailoverEffect.RaiseAlert alert)
        {
            // Forgotten.
        }

        public void AlertsAdded() => inner.AlertsAdded();
    }

    /// <summary>Acts first and writes it down afterwards.</summary>
    private sealed class EarlyEffects
    {
        private IFailoverEffects? _inner;

        public Parts Parts => new()
        {
            Effects = (_, effects) => new Deaf(_inner = effects),
            Controller = (s, e, p) =>
            {
                var step = Right(s, e, p);
                foreach (var effect in step.Effects.Where(f => f is not FailoverEffect.RaiseAlert))
                {
                    _inner!.Run(effect);
                }

                return step;
            },
        };

        /// <summary>It has been done already.</summary>
        private sealed class Deaf(IFailoverEffects inner) : IFailoverEffects
        {
            public void Run(FailoverEffect effect)
            {
                // Done before the transition was written.
            }

            public void AddAlert(SqliteTransaction transaction, FailoverEffect.RaiseAlert alert) => inner.AddAlert(transaction, alert);

            public void AddAlertInMemory(FailoverEffect.RaiseAlert alert) => inner.AddAlertInMemory(alert);

            public void AlertsAdded() => inner.AlertsAdded();
        }
    }

    /// <summary>After a restart it does not know what it has started itself, and leaves that alone as somebody else's.</summary>
    private sealed class Stranger
    {
        private readonly HashSet<string> _foreign = new(StringComparer.Ordinal);

        public FailoverStep Advance(FailoverState state, FailoverEvent ev, FailoverPolicy policy)
        {
            if (ev is FailoverEvent.Restarted)
            {
                _foreign.Add(state.Outage?.Launch ?? "");
                return Right(FailoverState.Initial with { Run = state.Run, Outages = state.Outages, Orders = state.Orders }, ev, policy);
            }

            return Right(state, ev is FailoverEvent.InstanceSeen { Sight.Launch: { } launch } seen && _foreign.Contains(launch) ? AsStopped(seen) : ev, policy);
        }
    }

    /// <summary>Measures spans by the wall clock.</summary>
    private sealed class WallTime(TimeProvider inner) : TimeProvider
    {
        private static readonly DateTimeOffset Beginning = new(1950, 1, 1, 0, 0, 0, TimeSpan.Zero);

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public override TimeZoneInfo LocalTimeZone => inner.LocalTimeZone;

        public override long GetTimestamp() => (inner.GetUtcNow() - Beginning).Ticks;

        public override DateTimeOffset GetUtcNow() => inner.GetUtcNow();

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) => inner.CreateTimer(callback, state, dueTime, period);
    }
}
