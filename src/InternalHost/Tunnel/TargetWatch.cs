using System.Collections.Immutable;
using System.Net;
using System.Net.Sockets;

namespace InternalHost.Tunnel;

/// <summary>
/// Looks, on this side, whether the services behind the forwards answer. A stopped service is told as such and never breaks the
/// link: rebuilding the tunnel could not mend it.
/// </summary>
internal sealed class TargetWatch(TimeProvider time)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(3);

    private volatile ImmutableDictionary<string, bool> _up = ImmutableDictionary<string, bool>.Empty;

    public static readonly TimeSpan Every = TimeSpan.FromSeconds(30);

    /// <summary>Null: not looked at yet.</summary>
    public bool? IsUp(string target) => _up.TryGetValue(target, out var up) ? up : null;

    public async Task LookAsync(IEnumerable<RemoteForward> forwards, CancellationToken ct)
    {
        var looked = await Task.WhenAll(forwards.Select(forward => forward.Target).Distinct(StringComparer.Ordinal)
            .Select(async target => KeyValuePair.Create(target, await AnswersAsync(target, ct))));
        _up = ImmutableDictionary.CreateRange(StringComparer.Ordinal, looked);
    }

    private async Task<bool> AnswersAsync(string target, CancellationToken ct)
    {
        using var limit = new CancellationTokenSource(Patience, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, ct);
        try
        {
            // The target is in the LAN, and ssh reaches it in the same way: no uplink takes part.
            using var socket = target.StartsWith('/')
                ? new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified)
                : new Socket(SocketType.Stream, ProtocolType.Tcp);
            await socket.ConnectAsync(EndPointOf(target), either.Token);
            return true;
        }
        catch (Exception e) when (e is SocketException or OperationCanceledException)
        {
            ct.ThrowIfCancellationRequested();
            return false;
        }
    }

    private static EndPoint EndPointOf(string target)
    {
        if (target.StartsWith('/'))
        {
            return new UnixDomainSocketEndPoint(target);
        }

        var colon = target.LastIndexOf(':');
        var (host, port) = (target[..colon].Trim('[', ']'), int.Parse(target[(colon + 1)..]));
        return IPAddress.TryParse(host, out var address) ? new IPEndPoint(address, port) : new DnsEndPoint(host, port);
    }
}
