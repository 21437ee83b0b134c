using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;

namespace Lab.Boxes;

/// <summary>
/// <c>lab socks ADDRESS:PORT</c>: a box on the LAN that dials for others (SOCKS 5, RFC 1928; CONNECT by address, nobody is asked who they
/// are), as <c>ssh -D</c> or microsocks would.
/// </summary>
internal static class SocksCommand
{
    private const byte Version = 5;
    private const byte Connect = 1;
    private const byte V4 = 1;
    private const byte V6 = 4;
    private const byte Granted = 0;
    private const byte HostUnreachable = 4;
    private const byte ConnectionRefused = 5;
    private const byte CommandNotSupported = 7;
    private const byte AddressNotSupported = 8;

    public static async Task<int> RunAsync(string at, CancellationToken ct)
    {
        if (!IPEndPoint.TryParse(at, out var listen))
        {
            await Console.Error.WriteLineAsync("usage: lab socks ADDRESS:PORT");
            return 2;
        }

        using var listener = new TcpListener(listen);
        listener.Start();
        while (true)
        {
            _ = ServeAsync(await listener.AcceptSocketAsync(ct), ct);
        }
    }

    private static async Task ServeAsync(Socket accepted, CancellationToken ct)
    {
        try
        {
            await using var client = new NetworkStream(accepted, ownsSocket: true);
            if (await TargetAsync(client, ct) is not { } target)
            {
                return;
            }

            using var socket = new Socket(target.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
            try
            {
                await socket.ConnectAsync(target, ct);
            }
            catch (SocketException e)
            {
                await ReplyAsync(client, e.SocketErrorCode == SocketError.ConnectionRefused ? ConnectionRefused : HostUnreachable, ct);
                return;
            }

            await ReplyAsync(client, Granted, ct);
            await using var server = new NetworkStream(socket);
            await Task.WhenAny(client.CopyToAsync(server, ct), server.CopyToAsync(client, ct)).Unwrap();
        }
        catch (Exception e) when (e is IOException or SocketException or EndOfStreamException)
        {
            // Either end is gone: so are both.
        }
    }

    /// <returns>Null: refused, and told so.</returns>
    private static async Task<IPEndPoint?> TargetAsync(NetworkStream client, CancellationToken ct)
    {
        var head = new byte[2];
        await client.ReadExactlyAsync(head, ct);
        await client.ReadExactlyAsync(new byte[head[1]], ct);
        await client.WriteAsync(new byte[] { Version, 0 }, ct);
        var request = new byte[4];
        await client.ReadExactlyAsync(request, ct);
        var length = request[3] switch { V4 => 4, V6 => 16, _ => 0 };
        if (head[0] != Version || request[1] != Connect || length == 0)
        {
            await ReplyAsync(client, length == 0 ? AddressNotSupported : CommandNotSupported, ct);
            return null;
        }

        var target = new byte[length + 2];
        await client.ReadExactlyAsync(target, ct);
        return new IPEndPoint(new IPAddress(target.AsSpan(0, length)), BinaryPrimitives.ReadUInt16BigEndian(target.AsSpan(length)));
    }

    private static async Task ReplyAsync(NetworkStream client, byte reply, CancellationToken ct) =>
        await client.WriteAsync(new byte[] { Version, reply, 0, V4, 0, 0, 0, 0, 0, 0 }, ct);
}
