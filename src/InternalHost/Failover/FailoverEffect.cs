using System.Collections.Immutable;
using System.Net;

namespace InternalHost.Failover;

/// <summary>What the controller asks for. Each may be repeated without harm; each answer comes back as an event.</summary>
public abstract record FailoverEffect
{
    /// <summary>Questions change nothing out there and are not journalled.</summary>
    public virtual bool IsQuestion => false;

    public sealed record DescribeInstance(int Run) : FailoverEffect
    {
        public override bool IsQuestion => true;
    }

    public sealed record AskSessions : FailoverEffect
    {
        public override bool IsQuestion => true;
    }

    public sealed record StartInstance(int Run) : FailoverEffect;

    public sealed record StopInstance(int Run) : FailoverEffect;

    public sealed record OpenTunnel(int Run, ImmutableArray<IPAddress> Addresses) : FailoverEffect
    {
        public bool Equals(OpenTunnel? other) => other is not null && Run == other.Run && Addresses.SequenceEqual(other.Addresses);

        public override int GetHashCode() => HashCode.Combine(Run, Addresses.Length);

        public override string ToString() => $"OpenTunnel {{ Run = {Run}, {string.Join(' ', Addresses)} }}";
    }

    public sealed record CloseTunnel : FailoverEffect;

    public sealed record Drain(int Run) : FailoverEffect;

    public sealed record Undrain : FailoverEffect;

    /// <summary>Put into the outbox in the transaction that journals the transition.</summary>
    /// <param name="Id">Outage and number within it: the same alert, raised again after a crash, has the same.</param>
    /// <param name="Outage">As it was when this was raised; it may have ended with it.</param>
    public sealed record RaiseAlert(OutageAlert Alert, string Id, string Reason, Outage Outage) : FailoverEffect
    {
        public override string ToString() => $"RaiseAlert {{ {Alert} {Id} {Reason} }}";
    }
}

/// <summary>What the owner is told of an outage (research: three texts an outage, not seven). Stored: numbers are fixed.</summary>
public enum OutageAlert
{
    Unknown = 0,

    /// <summary>Primary down and way in open, in one.</summary>
    Open = 1,

    /// <summary>Primary down and the way in is NOT open, and why.</summary>
    Stuck = 2,

    /// <summary>Primary back, VM stopped: duration, logins, bytes.</summary>
    Closed = 3,

    /// <summary>The VM will not stop, or cannot be asked whether it may.</summary>
    StopFailing = 4,

    /// <summary>The owner stopped the VM in the provider's app: it stays closed for an hour.</summary>
    OwnerStopped = 5,

    /// <summary>The VM has run for longer than <c>max_uptime</c>.</summary>
    LongUptime = 6,
}
