using Common;

namespace InternalHost.Cloud.Making;

/// <summary>What is next.</summary>
internal abstract record MakingTurn
{
    public sealed record Do(MakingStep Step) : MakingTurn;

    /// <summary>The provider is at work.</summary>
    public sealed record Wait(string For) : MakingTurn;

    public sealed record Refuse(string Why) : MakingTurn;

    /// <summary>All is there.</summary>
    public sealed record Done : MakingTurn;
}

/// <summary>
/// What comes next in a making, by what the provider shows and what was written down. What is there is not made again; what is finished
/// is not touched: the machine may be serving an outage.
/// </summary>
[PureCore]
internal static class MakingRules
{
    public static MakingTurn Next(MakingSight seen, MakingNotes notes, Lifecycle lifecycle) =>
        Against(seen, notes) is { } why ? new MakingTurn.Refuse(why)
        : Around(seen) is { } around ? new MakingTurn.Do(around)
        : Machine(seen, notes, lifecycle);

    /// <summary>Null: nothing speaks against it.</summary>
    private static string? Against(MakingSight seen, MakingNotes notes) =>
        notes.Removing ? "a removal was begun and is not finished: finish it first (internalhost cloud remove)"
        : notes.Attempt is null && seen.Machines is [var stranger, ..] ? Strange($"machine {stranger.Id}")
        : notes.Attempt is null && seen.Golden is { } golden ? Strange($"snapshot {golden}")
        : seen.Machines.Length > 1 ? $"there are several machines of this site, and they cost money: {string.Join(", ", seen.Machines.Select(m => m.Id))}. Remove those that are too many in the provider's own app, then run this again"
        : null;

    private static string Strange(string what) =>
        $"{what} is there already for this site, and was not made from here: take it over (internalhost cloud adopt), or remove it (internalhost cloud remove)";

    private static MakingStep? Around(MakingSight seen) =>
        seen.Key is null ? MakingStep.Key
        : seen.Firewall is null ? MakingStep.Firewall
        : !seen.FirewallIsRight ? MakingStep.Rules
        : null;

    private static MakingTurn Machine(MakingSight seen, MakingNotes notes, Lifecycle lifecycle)
    {
        var machine = seen.Machines.FirstOrDefault();
        var isKept = lifecycle == Lifecycle.Snapshot && seen.Golden is not null;
        if (notes.FinishedAt is not null)
        {
            return machine is null && !isKept ? new MakingTurn.Do(MakingStep.Forget) : new MakingTurn.Done();
        }

        return machine is null ? new MakingTurn.Do(isKept ? MakingStep.Finish : MakingStep.Machine)
            : machine.Id != notes.MachineId ? new MakingTurn.Do(MakingStep.Recognise)
            : !isKept && OnIt(notes) is { } work ? Running(machine, work)
            : notes.Credential == CredentialNote.Unknown ? new MakingTurn.Do(MakingStep.Credential)
            : isKept ? new MakingTurn.Do(MakingStep.Destroy)
            : Ending(machine, seen, lifecycle);
    }

    /// <summary>What is left to do on the machine itself, which has to run for it.</summary>
    private static MakingStep? OnIt(MakingNotes notes) =>
        notes.HostKeys.IsEmpty ? MakingStep.HostKey
        : !notes.Installed ? MakingStep.Install
        : !notes.Pinned ? MakingStep.Pin
        : null;

    private static MakingTurn Running(SeenMachine machine, MakingStep work) => machine.State switch
    {
        InstanceState.Running when machine.Addresses.IsEmpty => new MakingTurn.Wait("its public address"),
        InstanceState.Running => new MakingTurn.Do(work),
        InstanceState.Stopped => new MakingTurn.Do(MakingStep.Start),
        _ => new MakingTurn.Wait("the machine to run"),
    };

    private static MakingTurn Ending(SeenMachine machine, MakingSight seen, Lifecycle lifecycle) => machine.State switch
    {
        InstanceState.Stopped when lifecycle != Lifecycle.Snapshot => new MakingTurn.Do(MakingStep.Finish),
        InstanceState.Stopped when seen.SnapshotUnderWay => new MakingTurn.Wait("the snapshot"),
        InstanceState.Stopped => new MakingTurn.Do(MakingStep.Snapshot),
        InstanceState.Running => new MakingTurn.Do(MakingStep.Stop),
        _ => new MakingTurn.Wait("the machine to be off"),
    };
}
