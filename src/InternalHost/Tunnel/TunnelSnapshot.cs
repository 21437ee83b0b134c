using System.Collections.Immutable;
using System.Net;
using Common.Time;

namespace InternalHost.Tunnel;

/// <summary>The tunnel as it is now, for status, alerts and metrics.</summary>
/// <param name="State">Idle, Dialling, Connecting, Forwarding, Verifying, Up or BackingOff.</param>
/// <param name="Since">When this state began; for Up, the first proof of this run.</param>
/// <param name="Verified">Moment of the last proof; null: not verified now. Its age is always shown beside "up".</param>
/// <param name="Last">Why it is not up, or last was not.</param>
/// <param name="Busy">The echo is late because data moves; that is no fault.</param>
/// <param name="Remote">Address and port in use.</param>
/// <param name="NextTry">BackingOff: when the next run starts by itself.</param>
public sealed record TunnelSnapshot(
    string State,
    int Run,
    Instant Since,
    Instant? Verified,
    TunnelFailure? Last,
    bool Busy,
    IPEndPoint? Remote,
    string? Banner,
    long BytesReceived,
    long BytesSent,
    Instant? NextTry,
    ImmutableArray<ForwardStatus> Forwards)
{
    public bool IsUp => Verified is not null;
}

/// <param name="Refused">Null: the bastion listens, or has not been asked.</param>
/// <param name="TargetDown">The service behind it does not answer here, inside; null: not looked at yet.</param>
public sealed record ForwardStatus(string Name, int BastionPort, string Target, bool Listening, TunnelReason? Refused, bool? TargetDown);
