using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace Lab.World;

/// <summary>Classic BPF programs on sockets: the kernel asks them for each incoming packet.</summary>
internal static class SocketFilter
{
    private const int SolSocket = 1;
    private const int AttachFilter = 26;
    private const int DetachFilter = 27;
    private const int AttachReusePort = 51;

    // linux/filter.h: the IP header lies at SKF_NET_OFF, whatever the socket's own view of the packet; the source address at 12.
    private const uint SourceAddress = 0xfff00000 + 12;

    [StructLayout(LayoutKind.Sequential)]
    private readonly record struct Instruction(ushort Code, byte IfTrue, byte IfFalse, uint Value);

    /// <summary>
    /// SO_ATTACH_FILTER: an established connection hears nothing more, and acknowledges nothing. False: newer kernels let only
    /// CAP_NET_ADMIN do this to TCP.
    /// </summary>
    public static bool TryDropAll(Socket socket)
    {
        try
        {
            Attach(socket, AttachFilter, [Return(0)]);
            return true;
        }
        catch (SocketException e) when (e.SocketErrorCode == SocketError.AccessDenied)
        {
            return false;
        }
    }

    public static void Clear(Socket socket)
    {
        try
        {
            socket.SetRawSocketOption(SolSocket, DetachFilter, stackalloc byte[4]);
        }
        catch (SocketException)
        {
            // ENOENT: there was none.
        }
    }

    /// <summary>
    /// SO_ATTACH_REUSEPORT_CBPF: of the listeners that share a port, who is behind one of these IPv4 sources gets the second, everybody
    /// else the first. No privilege needed.
    /// </summary>
    public static void SteerToSecond(Socket listener, IReadOnlyList<IPAddress> sources)
    {
        // ld [source]; for each: jeq #address, second; ret 0; second: ret 1
        var program = new Instruction[sources.Count + 3];
        program[0] = new Instruction(0x20, 0, 0, SourceAddress);
        for (var i = 0; i < sources.Count; i++)
        {
            program[i + 1] = new Instruction(0x15, (byte)(sources.Count - i), 0, BinaryPrimitives.ReadUInt32BigEndian(sources[i].GetAddressBytes()));
        }

        program[^2] = Return(0);
        program[^1] = Return(1);
        Attach(listener, AttachReusePort, program);
    }

    public static void SteerAllToSecond(Socket listener) => Attach(listener, AttachReusePort, [Return(1)]);

    private static Instruction Return(uint value) => new(0x06, 0, 0, value);

    private static unsafe void Attach(Socket socket, int option, Instruction[] program)
    {
        fixed (Instruction* first = program)
        {
            // struct sock_fprog { unsigned short len; struct sock_filter *filter; }
            Span<byte> header = stackalloc byte[2 * sizeof(nint)];
            header.Clear();
            MemoryMarshal.Write(header, (ushort)program.Length);
            MemoryMarshal.Write(header[sizeof(nint)..], (nint)first);
            socket.SetRawSocketOption(SolSocket, option, header);
        }
    }
}
