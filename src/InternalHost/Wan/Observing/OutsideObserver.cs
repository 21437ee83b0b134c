using System.Net;
using System.Net.Sockets;
using InternalHost.Configuration;
using InternalHost.Wan.Detection;
using InternalHost.Wan.Links;

namespace InternalHost.Wan.Observing;

/// <summary>Wiring C, weak: whether anybody answers at the primary's public address, asked through the backup.</summary>
/// <param name="learnt">The address as others know it now; used where the configuration names none.</param>
internal sealed class OutsideObserver(UplinkOptions backup, OutsideTarget target, Func<IPAddress?> learnt, TimeProvider time)
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(5);

    /// <summary>Answered: it took the connection or refused it. Lost: silence. Unknown: there is nothing to ask yet, which says nothing.</summary>
    public async Task<ProbeOutcome> AskAsync(CancellationToken giveUp)
    {
        if ((target.Address ?? learnt()) is not { } address || !BoundSocket.Carries(backup, address.AddressFamily))
        {
            return ProbeOutcome.Unknown;
        }

        try
        {
            using var socket = await BoundSocket.ConnectAsync(backup, new IPEndPoint(address, target.Port), Limit, time, giveUp);
            return ProbeOutcome.Answered;
        }
        catch (UplinkException e)
        {
            return e.Code == SocketError.ConnectionRefused ? ProbeOutcome.Answered : ProbeOutcome.Lost;
        }
        catch (OperationCanceledException)
        {
            return ProbeOutcome.Lost;
        }
    }
}
