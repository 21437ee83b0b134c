using System.Collections.Immutable;
using Common.Time;

namespace Lab.Clouds;

/// <summary>
/// The machines of one account in one region, and what may be done with them when: the rules of EC2 without its wire. Every picture of a
/// machine is kept with its moment, so that it can also be described as it was.
/// </summary>
internal sealed class Ec2Account(Func<Ec2Behaviour> behaviour, TimeProvider time, Action<Ec2Machine> changed)
{
    private readonly Lock _gate = new();
    private readonly Dictionary<string, List<(Instant At, Ec2Machine Machine)>> _pictures = [];   // guarded by _gate, each oldest first
    private int _starts;
    private int _made;
    private int _mostRunning;

    /// <summary>Instances ever made.</summary>
    public int Made => Volatile.Read(ref _made);

    /// <summary>The most that ever ran at the same moment.</summary>
    public int MostRunning => Volatile.Read(ref _mostRunning);

    public ImmutableArray<Ec2Machine> Machines
    {
        get
        {
            lock (_gate)
            {
                return [.. _pictures.Values.Select(p => p[^1].Machine).OrderBy(m => m.Id, StringComparer.Ordinal)];
            }
        }
    }

    /// <summary>As EC2 shows them now, which may be as they were.</summary>
    public ImmutableArray<Ec2Machine> Described
    {
        get
        {
            var until = Instant.Now(time) - behaviour().Lag;
            lock (_gate)
            {
                return [.. _pictures.Values.Select(p => p.LastOrDefault(x => x.At <= until).Machine).Where(m => m is not null).OrderBy(m => m.Id, StringComparer.Ordinal)];
            }
        }
    }

    /// <summary>One more machine, unless that client token has made one.</summary>
    public Ec2Machine Run(Func<string, Ec2Machine> make, string? clientToken)
    {
        Ec2Machine machine;
        lock (_gate)
        {
            if (clientToken is not null && _pictures.Values.Select(p => p[^1].Machine).FirstOrDefault(m => m.ClientToken == clientToken) is { } same)
            {
                return same.IsGone ? throw new Ec2Refusal("IdempotentInstanceTerminated", "The instance that was made with this client token is terminated.")
                    : !same.MadeWith.SequenceEqual(make("").MadeWith) ? throw new Ec2Refusal("IdempotentParameterMismatch", "The client token was used before with other parameters.")
                    : same;
            }

            NeedRoom(make("").Type);
            machine = make($"i-{++_made:x17}") with { State = "pending", LaunchTime = time.GetUtcNow(), Addresses = behaviour().AddressesOf(++_starts) };
            PutLocked(machine);
        }

        Next(machine, "running", behaviour().PendingFor);
        changed(machine);
        return machine;
    }

    public (string Before, Ec2Machine Now) Start(string id) => Change(id, m => m.State switch
    {
        "running" or "pending" => m,
        "stopped" => Started(m),
        _ => throw Incorrect(m, "started"),
    }, m => m.State == "pending" ? ("running", behaviour().PendingFor) : null);

    /// <param name="reason">Why, as it will be described.</param>
    public (string Before, Ec2Machine Now) Stop(string id, string reason) => Change(id, m => m.State switch
    {
        "running" => m with { State = "stopping", StateReason = reason },
        "stopping" or "stopped" => m,
        _ => throw Incorrect(m, "stopped"),
    }, m => m.State == "stopping" ? ("stopped", behaviour().StoppingFor) : null);

    public (string Before, Ec2Machine Now) Terminate(string id) => Change(id,
        m => m.IsGone ? m : m with { State = "shutting-down", StateReason = "Client.UserInitiatedShutdown", Addresses = [] },
        m => m.State == "shutting-down" ? ("terminated", behaviour().StoppingFor) : null);

    public void Modify(string id, string type) => Change(id,
        m => m.State == "stopped" ? m with { Type = type } : throw Incorrect(m, "modified"), _ => null);

    public void Tag(string id, IEnumerable<KeyValuePair<string, string>> tags) => Change(id, m => m with { Tags = m.Tags.SetItems(tags) }, _ => null);

    private Ec2Machine Started(Ec2Machine machine)
    {
        NeedRoom(machine.Type);
        return machine with { State = "pending", StateReason = null, LaunchTime = time.GetUtcNow(), Addresses = behaviour().AddressesOf(++_starts) };
    }

    private void NeedRoom(string type)
    {
        if (behaviour().NoRoomFor.Contains(type))
        {
            throw new Ec2Refusal("InsufficientInstanceCapacity", $"We currently do not have sufficient {type} capacity in the Availability Zone you requested.", 500);
        }
    }

    private (string Before, Ec2Machine Now) Change(string id, Func<Ec2Machine, Ec2Machine> change, Func<Ec2Machine, (string State, TimeSpan After)?> then)
    {
        Ec2Machine before, now;
        lock (_gate)
        {
            before = _pictures.TryGetValue(id, out var pictures) ? pictures[^1].Machine
                : throw new Ec2Refusal("InvalidInstanceID.NotFound", $"The instance ID '{id}' does not exist");
            now = change(before);
            if (ReferenceEquals(before, now))
            {
                return (before.State, now);
            }

            PutLocked(now);
        }

        if (then(now) is var (state, after))
        {
            Next(now, state, after);
        }

        changed(now);
        return (before.State, now);
    }

    private void PutLocked(Ec2Machine machine)
    {
        if (!_pictures.TryGetValue(machine.Id, out var pictures))
        {
            _pictures[machine.Id] = pictures = [];
        }

        pictures.Add((Instant.Now(time), machine));
        _mostRunning = Math.Max(_mostRunning, _pictures.Values.Count(p => p[^1].Machine.Runs));
    }

    /// <summary>Comes to that state by itself, unless something else has become of it by then.</summary>
    private void Next(Ec2Machine machine, string state, TimeSpan after)
    {
        ITimer? timer = null;
        timer = time.CreateTimer(_ => Arrive(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        timer.Change(after, Timeout.InfiniteTimeSpan);

        void Arrive()
        {
            timer!.Dispose();
            Ec2Machine arrived;
            lock (_gate)
            {
                if (!ReferenceEquals(_pictures[machine.Id][^1].Machine, machine))
                {
                    return;
                }

                arrived = machine with { State = state, Addresses = state == "running" ? machine.Addresses : [] };
                PutLocked(arrived);
            }

            changed(arrived);
        }
    }

    private static Ec2Refusal Incorrect(Ec2Machine machine, string what) =>
        new("IncorrectInstanceState", $"The instance '{machine.Id}' is not in a state from which it can be {what} ({machine.State}).");
}
