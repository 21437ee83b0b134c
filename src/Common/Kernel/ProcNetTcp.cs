using System.Globalization;
using System.Net;

namespace Common.Kernel;

/// <param name="Inode">Of the socket: another connection from the same address and port has another one.</param>
/// <param name="Owner">The user whose process opened it. Without meaning where the inode is 0: such a socket is nobody's any more.</param>
public sealed record TcpConnection(IPEndPoint Local, IPEndPoint Remote, bool Established, bool Listening, ulong Inode, uint Owner = 0);

/// <summary>
/// Reads <c>/proc/net/tcp</c> and <c>tcp6</c> (proc(5)):
/// <c>0: 0100007F:BF76 0100007F:9C56 01 00000000:00000000 00:00000000 00000000     0        0 31337 1 ...</c>
/// Addresses are 32-bit words in the machine's own byte order, ports in hexadecimal.
/// </summary>
[PureCore]
public static class ProcNetTcp
{
    private const string EstablishedState = "01";
    private const string ListenState = "0A";

    /// <summary>Lines that are not connections (the heading, half a line) are left out.</summary>
    public static IEnumerable<TcpConnection> Parse(string text) => text.Split('\n').Select(ParseLine).OfType<TcpConnection>();

    private static TcpConnection? ParseLine(string line)
    {
        var fields = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        return fields.Length >= 10
            && EndPoint(fields[1]) is { } local
            && EndPoint(fields[2]) is { } remote
            && uint.TryParse(fields[7], NumberStyles.None, CultureInfo.InvariantCulture, out var owner)
            && ulong.TryParse(fields[9], NumberStyles.None, CultureInfo.InvariantCulture, out var inode)
                ? new TcpConnection(local, remote, fields[3] == EstablishedState, fields[3] == ListenState, inode, owner)
                : null;
    }

    private static IPEndPoint? EndPoint(string text)
    {
        var colon = text.IndexOf(':');
        return colon is 8 or 32
            && Address(text.AsSpan(0, colon)) is { } address
            && ushort.TryParse(text.AsSpan(colon + 1), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var port)
                ? new IPEndPoint(address, port)
                : null;
    }

    private static IPAddress? Address(ReadOnlySpan<char> hex)
    {
        Span<byte> bytes = stackalloc byte[hex.Length / 2];
        for (var word = 0; word < bytes.Length / 4; word++)
        {
            if (!uint.TryParse(hex.Slice(word * 8, 8), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var value))
            {
                return null;
            }

            BitConverter.TryWriteBytes(bytes[(word * 4)..], value);
        }

        var address = new IPAddress(bytes);
        return address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address;
    }
}
