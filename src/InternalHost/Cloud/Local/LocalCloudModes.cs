using System.Collections.Immutable;
using Common;

namespace InternalHost.Cloud.Local;

/// <summary>What a VM's ports do while it boots.</summary>
internal enum BootPortMode
{
    Unknown = 0,

    /// <summary>Nobody listens: RST.</summary>
    Refuse = 1,

    /// <summary>SYNs get no answer.</summary>
    Drop = 2,

    /// <summary>The connection is made, and nothing is said.</summary>
    Silent = 3,
}

/// <summary>At what the first boot's configuration of a VM restarts sshd, once in a launch.</summary>
internal enum RestartOnce
{
    Unknown = 0,
    No = 1,
    AfterBanner = 2,
    AfterLogin = 3,
}

/// <param name="Times">The next calls that fail without being carried out.</param>
internal sealed record FailingCalls(int Times, CloudFailure Failure);

/// <summary>How this cloud behaves, and misbehaves. All of it can be combined, and changed while it runs.</summary>
internal sealed record LocalCloudModes
{
    /// <summary>From the start call until the provider says running.</summary>
    public TimeSpan Pending { get; init; }

    /// <summary>From the start call until sshd listens; never before running.</summary>
    public TimeSpan Boot { get; init; }

    public BootPortMode BootPort { get; init; } = BootPortMode.Refuse;

    public RestartOnce RestartOnce { get; init; } = RestartOnce.No;

    /// <summary>How long sshd is away when it restarts.</summary>
    public TimeSpan Restart { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>Running, but the provider does not tell an address yet.</summary>
    public TimeSpan AddressLate { get; init; }

    /// <summary>Each start gives the next address of the list.</summary>
    public bool AddressChanges { get; init; }

    /// <summary>From the stop call until stopped, at least.</summary>
    public TimeSpan Stop { get; init; }

    /// <summary>The instance stops by itself so long after it is up.</summary>
    public TimeSpan? StopsItselfAfter { get; init; }

    /// <summary>Each reply of describe, start and stop is late by this.</summary>
    public TimeSpan Reply { get; init; }

    /// <summary>By operation: describe, start, stop.</summary>
    public ImmutableDictionary<string, FailingCalls> FailCalls { get; init; } = ImmutableDictionary<string, FailingCalls>.Empty;

    /// <summary>By operation: so many calls are carried out and never answered.</summary>
    public ImmutableDictionary<string, int> LoseReplies { get; init; } = ImmutableDictionary<string, int>.Empty;
}

/// <summary>Counts down what is to go wrong with calls.</summary>
[PureCore]
internal static class CallFaults
{
    /// <summary>Whether this call fails before it is carried out, and the modes that are left.</summary>
    public static (CloudFailure? Failure, LocalCloudModes Left) TakeFailure(LocalCloudModes modes, string op) =>
        modes.FailCalls.GetValueOrDefault(op) is { Times: > 0 } fail
            ? (fail.Failure, modes with { FailCalls = modes.FailCalls.SetItem(op, fail with { Times = fail.Times - 1 }) })
            : (null, modes);

    /// <summary>Whether the answer to this call is lost, and the modes that are left.</summary>
    public static (bool Lost, LocalCloudModes Left) TakeLoss(LocalCloudModes modes, string op) =>
        modes.LoseReplies.GetValueOrDefault(op) is var times and > 0
            ? (true, modes with { LoseReplies = modes.LoseReplies.SetItem(op, times - 1) })
            : (false, modes);
}
