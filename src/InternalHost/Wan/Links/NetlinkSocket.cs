using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace InternalHost.Wan.Links;

/// <summary>Sockets to the kernel's routing (rtnetlink(7)); no privilege is needed to ask or to listen.</summary>
internal static partial class NetlinkSocket
{
    private const int Netlink = 16;
    private const int RawCloseOnExec = 3 | 0x80000;   // SOCK_RAW | SOCK_CLOEXEC, the same on all machines we run on
    private const int RouteProtocol = 0;

    /// <summary>The kernel answers before send returns; a lost answer must still not hang the asker.</summary>
    private const int AnswerLimitMilliseconds = 200;

    /// <summary>RTNLGRP_LINK, IPV4_IFADDR, IPV4_ROUTE, IPV4_RULE, IPV6_IFADDR, IPV6_ROUTE, IPV6_RULE as a mask.</summary>
    private const uint AllChanges = (1 << 0) | (1 << 4) | (1 << 6) | (1 << 7) | (1 << 8) | (1 << 10) | (1 << 18);

    /// <exception cref="SocketException">No netlink in this sandbox.</exception>
    public static Socket ToAsk()
    {
        var descriptor = OpenSocket(Netlink, RawCloseOnExec, RouteProtocol);
        return descriptor < 0
            ? throw new SocketException(Marshal.GetLastPInvokeError())
            : new Socket(new SafeSocketHandle(descriptor, ownsHandle: true)) { ReceiveTimeout = AnswerLimitMilliseconds };
    }

    /// <summary>Receives every change of links, addresses, routes and rules from now on, in the caller's network namespace.</summary>
    /// <inheritdoc cref="ToAsk"/>
    public static Socket ToListen()
    {
        var socket = ToAsk();
        socket.ReceiveTimeout = 0;
        var address = new SocketAddress { Family = Netlink, Groups = AllChanges };
        if (Bind(socket.SafeHandle, address, Marshal.SizeOf<SocketAddress>()) == 0)
        {
            return socket;
        }

        var error = Marshal.GetLastPInvokeError();
        socket.Dispose();
        throw new SocketException(error);
    }

    /// <summary>Index of an interface in this namespace; 0: there is none of that name.</summary>
    public static int IndexOf(string name) => (int)NameToIndex(name);

    [LibraryImport("libc", EntryPoint = "socket", SetLastError = true)]
    private static partial int OpenSocket(int domain, int type, int protocol);

    [LibraryImport("libc", EntryPoint = "bind", SetLastError = true)]
    private static partial int Bind(SafeSocketHandle socket, in SocketAddress address, int length);

    [LibraryImport("libc", EntryPoint = "if_nametoindex", StringMarshalling = StringMarshalling.Utf8)]
    private static partial uint NameToIndex(string name);

    /// <summary>struct sockaddr_nl; port 0: the kernel chooses ours.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private struct SocketAddress
    {
        public ushort Family;
        public ushort Padding;
        public uint Port;
        public uint Groups;
    }
}
