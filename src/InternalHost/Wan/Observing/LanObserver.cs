using System.Collections.Immutable;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using InternalHost.Configuration;
using InternalHost.Wan.Clock;
using InternalHost.Wan.Detection;
using InternalHost.Wan.Probes;

namespace InternalHost.Wan.Observing;

/// <summary>
/// Wiring C: a box on the LAN that is routed by the primary relays a TLS handshake with a witness, whose name must be proven: neither the
/// box nor a portal behind it can play the world. Both witnesses are tried, so that an operator that dies is not taken for the primary.
/// </summary>
internal sealed class LanObserver(IPEndPoint box, WitnessOptions witnesses, TrustedTime trusted, TimeProvider time)
{
    /// <summary>What is left for telling it before the asker counts a miss.</summary>
    private static readonly TimeSpan Margin = TimeSpan.FromMilliseconds(300);

    private readonly ImmutableArray<(TlsWitness Witness, ServerTrust Trust)> _witnesses =
        [.. new[] { witnesses.TlsA, witnesses.TlsB }.Where(w => !w.Addresses.IsEmpty).Select(w => (w, new ServerTrust(trusted, w.CaFile)))];

    private int _turn;

    /// <summary>Authenticated: the world by the box. Refuted: the box serves us, the world is not there. Lost: the box itself is silent.</summary>
    /// <param name="limit">The whole of it ends by then.</param>
    public async Task<ProbeOutcome> AskAsync(TimeSpan limit, CancellationToken giveUp)
    {
        var share = (limit - Margin) / Math.Max(1, _witnesses.Length);
        var outcome = ProbeOutcome.Lost;
        for (var i = 0; i < _witnesses.Length && outcome != ProbeOutcome.Authenticated; i++)
        {
            using var timer = new CancellationTokenSource(share, time);
            using var either = CancellationTokenSource.CreateLinkedTokenSource(timer.Token, giveUp);
            var (witness, trust) = _witnesses[(int)((uint)Interlocked.Increment(ref _turn) % (uint)_witnesses.Length)];
            var answer = await AskAsync(witness, trust, either.Token);
            outcome = answer == ProbeOutcome.Lost ? outcome : answer;
        }

        return outcome;
    }

    private async Task<ProbeOutcome> AskAsync(TlsWitness witness, ServerTrust trust, CancellationToken ct)
    {
        var serves = false;
        try
        {
            // Not bound to an uplink: the box is on our own LAN, wherever its interface is.
            using var socket = new Socket(box.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            await socket.ConnectAsync(box, ct);
            await using var stream = new NetworkStream(socket);
            serves = await Socks5.GreetAsync(stream, ct);
            if (!serves)
            {
                return ProbeOutcome.Lost;
            }

            var result = await Socks5.ConnectAsync(stream, TargetOf(witness), ct);
            if (result != SocksResult.Connected)
            {
                return result == SocksResult.NotReached ? ProbeOutcome.Refuted : ProbeOutcome.Lost;
            }

            await using var secure = new SslStream(stream);
            var options = trust.For(witness.Name);
            options.AllowTlsResume = false;   // a resumed session judges no certificate
            await secure.AuthenticateAsClientAsync(options, ct);
            return ProbeOutcome.Authenticated;
        }
        catch (Exception e) when (e is IOException or SocketException or OperationCanceledException or AuthenticationException)
        {
            // It greeted us: what is silent then is what lies behind it.
            return serves ? ProbeOutcome.Refuted : ProbeOutcome.Lost;
        }
    }

    /// <summary>By IPv4 where there is one: a relay that has no IPv6 would look like an outage.</summary>
    private static IPEndPoint TargetOf(TlsWitness witness) =>
        witness.Addresses.FirstOrDefault(a => a.AddressFamily == AddressFamily.InterNetwork) ?? witness.Addresses[0];
}
