using Common.Time;
using InternalHost.Cloud;

namespace InternalHost.Simulation;

/// <summary>
/// The provider as the controller's port sees it: requests and replies take time, get lost, are refused or throttled. It adopts what
/// it finds and never retries, as the port promises.
/// </summary>
internal sealed class ProviderClient(World world, Life life) : ICloud
{
    private readonly Queue<(Instant At, InstanceSight Sight)> _history = new();
    private int _inFlight;

    public Lifecycle Lifecycle => world.Provider.Lifecycle;

    public bool IsIdle => _inFlight == 0;

    public Task<InstanceSight> DescribeAsync(CancellationToken ct)
    {
        Remember();
        // At rest the provider answers at once: nothing then depends on how long it took.
        return world.IsCalm ? Task.FromResult(world.Provider.See()) : AskAsync(See, acts: false, ct);
    }

    public Task StartAsync(CancellationToken ct)
    {
        world.Invariants.Asked(start: true);
        return AskAsync(
            () =>
            {
                Refuse(FaultKind.NoCapacity, CloudFailure.Capacity, "no room for this size");
                world.Provider.Start(Actor.Controller);
                return true;
            },
            acts: true,
            ct);
    }

    public Task StopAsync(CancellationToken ct)
    {
        world.Invariants.Asked(start: false);
        return AskAsync(
            () =>
            {
                world.Provider.Stop(Actor.Controller);
                return true;
            },
            acts: true,
            ct);
    }

    private InstanceSight See()
    {
        var now = world.Provider.See();
        if (!world.Is(FaultKind.ApiStale))
        {
            return now;
        }

        // Eventually consistent: for seconds after a change the answer may be an older one.
        var age = world.Streams.Api.Seconds(0, 8);
        var old = _history.LastOrDefault(h => h.At <= world.Now - age).Sight;
        return old ?? now;
    }

    private void Remember()
    {
        _history.Enqueue((world.Now, world.Provider.See()));
        if (_history.Count > 32)
        {
            _history.Dequeue();
        }
    }

    private Task<T> AskAsync<T>(Func<T> carryOut, bool acts, CancellationToken ct)
    {
        var answer = new TaskCompletionSource<T>();
        _inFlight++;
        CancellationTokenRegistration cancelled = default;
        cancelled = ct.Register(() => End(() => answer.TrySetCanceled(ct)));
        var chance = world.Streams.Api;
        if (!world.Reaches)
        {
            world.Agenda.After(chance.Seconds(1, 8), () => End(() => Fail(CloudFailure.Unreachable, "no way to the provider")), life);
            return answer.Task;
        }

        var (there, back) = world.Is(FaultKind.ApiSlow)
            ? (chance.Seconds(0.1, 5), chance.Seconds(1, 40))
            : (chance.Seconds(0.02, 0.15), chance.Seconds(0.02, 0.25));
        var lostThere = acts ? world.Is(FaultKind.ApiLosesRequests) && chance.Hit(0.5) : world.Is(FaultKind.ApiLosesReplies) && chance.Hit(0.2);
        var lostBack = acts && world.Is(FaultKind.ApiLosesReplies) && chance.Hit(0.6);
        world.Agenda.After(there, Arrive);
        return answer.Task;

        void Arrive()
        {
            if (lostThere)
            {
                world.Agenda.After(chance.Seconds(2, 12), () => End(() => Fail(CloudFailure.LostReply, "the connection broke")), life);
                return;
            }

            try
            {
                if (world.Is(FaultKind.ApiThrottles) && chance.Hit(0.7))
                {
                    throw new CloudException(CloudFailure.Transient, "slow down");
                }

                Refuse(FaultKind.KeyRefused, CloudFailure.Denied, "our key is refused");
                var result = carryOut();
                Remember();
                if (lostBack || (acts && !world.Reaches))
                {
                    world.Agenda.After(chance.Seconds(2, 12), () => End(() => Fail(CloudFailure.LostReply, "the reply was lost")), life);
                }
                else
                {
                    world.Agenda.After(back, () => End(() => answer.TrySetResult(result)), life);
                }
            }
            catch (CloudException e)
            {
                world.Agenda.After(back, () => End(() => answer.TrySetException(e)), life);
            }
        }

        void Fail(CloudFailure failure, string why) => answer.TrySetException(new CloudException(failure, why));

        void End(Action how)
        {
            if (!answer.Task.IsCompleted)
            {
                _inFlight--;
                cancelled.Dispose();
                how();
            }
        }
    }

    private void Refuse(FaultKind fault, CloudFailure failure, string why)
    {
        if (world.Is(fault))
        {
            throw new CloudException(failure, why);
        }
    }
}
