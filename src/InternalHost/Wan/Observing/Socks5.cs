using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;

namespace InternalHost.Wan.Observing;

/// <summary>What became of asking a SOCKS 5 server for a connection.</summary>
internal enum SocksResult
{
    Unknown = 0,

    /// <summary>The stream now leads to the target.</summary>
    Connected = 1,

    /// <summary>The server speaks SOCKS 5, and could not reach the target, or has not yet.</summary>
    NotReached = 2,

    /// <summary>The server does not serve us: no SOCKS 5, wants a password, or forbids the target.</summary>
    NotServed = 3,
}

/// <summary>CONNECT of RFC 1928 without authentication.</summary>
internal static class Socks5
{
    private const byte Version = 5;
    private const byte NoAuthentication = 0;
    private const byte Connect = 1;
    private const byte Address4 = 1;
    private const byte Name = 3;
    private const byte Address6 = 4;
    private const byte Succeeded = 0;
    private const byte NotAllowed = 2;
    private const byte CommandNotSupported = 7;
    private const byte AddressNotSupported = 8;

    /// <summary>True: the server answers and lets us in.</summary>
    /// <exception cref="IOException">The stream ended or failed.</exception>
    public static async Task<bool> GreetAsync(Stream stream, CancellationToken ct)
    {
        await stream.WriteAsync(new byte[] { Version, 1, NoAuthentication }, ct);
        var choice = new byte[2];
        await stream.ReadExactlyAsync(choice, ct);
        return choice[0] == Version && choice[1] == NoAuthentication;
    }

    /// <inheritdoc cref="GreetAsync"/>
    public static async Task<SocksResult> ConnectAsync(Stream stream, IPEndPoint target, CancellationToken ct)
    {
        await stream.WriteAsync(Request(target), ct);
        var head = new byte[4];
        await stream.ReadExactlyAsync(head, ct);
        if (head[0] != Version)
        {
            return SocksResult.NotServed;
        }

        var bound = head[3] switch
        {
            Address4 => 4,
            Address6 => 16,
            Name => await NameLengthAsync(stream, ct),
            _ => -1,
        };
        if (bound < 0)
        {
            return SocksResult.NotServed;
        }

        await stream.ReadExactlyAsync(new byte[bound + sizeof(ushort)], ct);
        return head[1] switch
        {
            Succeeded => SocksResult.Connected,
            NotAllowed or CommandNotSupported or AddressNotSupported => SocksResult.NotServed,
            _ => SocksResult.NotReached,
        };
    }

    private static async Task<int> NameLengthAsync(Stream stream, CancellationToken ct)
    {
        var length = new byte[1];
        await stream.ReadExactlyAsync(length, ct);
        return length[0];
    }

    private static byte[] Request(IPEndPoint target)
    {
        var address = target.Address.GetAddressBytes();
        var request = new byte[4 + address.Length + sizeof(ushort)];
        request[0] = Version;
        request[1] = Connect;
        request[3] = target.AddressFamily == AddressFamily.InterNetworkV6 ? Address6 : Address4;
        address.CopyTo(request, 4);
        BinaryPrimitives.WriteUInt16BigEndian(request.AsSpan(4 + address.Length), (ushort)target.Port);
        return request;
    }
}
