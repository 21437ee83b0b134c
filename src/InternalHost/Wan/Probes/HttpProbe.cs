using System.Net;
using System.Net.Sockets;
using System.Text;
using InternalHost.Configuration;
using InternalHost.Wan.Detection;
using InternalHost.Wan.Http;

namespace InternalHost.Wan.Probes;

/// <summary>
/// One GET of an address that answers 204 and nothing else, by plain HTTP, because that is what portals step into. It only classifies:
/// a portal can answer 204 too.
/// </summary>
internal sealed class HttpProbe(Uri address, UplinkDialler dialler)
{
    private readonly byte[] _request = Encoding.ASCII.GetBytes(
        $"GET {address.PathAndQuery} HTTP/1.1\r\nHost: {address.Authority}\r\nUser-Agent: internalhost\r\nAccept: */*\r\nConnection: close\r\n\r\n");

    public async Task<ProbeOutcome> AskAsync(UplinkOptions uplink, CancellationToken giveUp)
    {
        try
        {
            await using var stream = await dialler.DialAsync([uplink], new DnsEndPoint(address.IdnHost, address.Port), trust: null, giveUp);
            await stream.WriteAsync(_request, giveUp);
            return await ReadAsync(stream, giveUp);
        }
        catch (Exception e) when (e is HttpRequestException or IOException or SocketException or OperationCanceledException)
        {
            return ProbeOutcome.Lost;
        }
    }

    private static async Task<ProbeOutcome> ReadAsync(Stream stream, CancellationToken ct)
    {
        var buffer = new byte[HttpReplyHead.Most];
        var length = 0;
        while (true)
        {
            var more = await stream.ReadAsync(buffer.AsMemory(length), ct);
            length += more;
            if (HttpReplyHead.Judge(buffer.AsSpan(0, length), ended: more == 0 || length == buffer.Length) is { } outcome)
            {
                return outcome;
            }
        }
    }
}
