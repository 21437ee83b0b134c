using Common;

namespace InternalHost.Tunnel;

/// <summary>What came of one nonce sent round.</summary>
internal enum LoopOutcome
{
    Unknown = 0,

    /// <summary>It came round, with the second secret: the whole way is open and ends at us.</summary>
    Answered = 1,

    /// <summary>Nothing came, and the connection was idle meanwhile.</summary>
    Missed = 2,

    /// <summary>Somebody else answers on our port.</summary>
    Foreign = 3,
}

/// <summary>
/// Whether silence means death. On a 2 Mbit/s uplink a copy delays an echo by 10 s, so an echo that is late while data moves proves
/// nothing; one that is late on an idle connection does.
/// </summary>
[PureCore]
internal static class LoopVerdict
{
    /// <summary>How long one silent stretch must last to be a miss.</summary>
    public static readonly TimeSpan Silence = TimeSpan.FromSeconds(3);

    /// <summary>No echo was later than 18 s on a full 1 Mbit/s uplink.</summary>
    public static readonly TimeSpan Busy = TimeSpan.FromSeconds(30);

    /// <summary>
    /// Bytes in one stretch that mean "busy". Keepalives and the probe's own channel move a few hundred; an upload shows as
    /// acknowledged bytes with hardly a byte received, so both directions count.
    /// </summary>
    public const long BusyBytes = 4096;

    public static bool IsBusy(TcpBytes before, TcpBytes now) =>
        now.Received - before.Received + (now.Acknowledged - before.Acknowledged) >= BusyBytes;

    /// <summary>At the end of each stretch without an echo: wait for one more?</summary>
    public static bool KeepWaiting(TimeSpan sinceSent, TcpBytes before, TcpBytes now) => sinceSent < Busy && IsBusy(before, now);
}
