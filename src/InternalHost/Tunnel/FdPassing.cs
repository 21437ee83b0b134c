using System.Runtime.InteropServices;

namespace InternalHost.Tunnel;

/// <summary>
/// Hands an open file descriptor to another process over a Unix socket (SCM_RIGHTS, unix(7)). No type of System.Net.Sockets is
/// used: the helper's start time is part of every connection.
/// </summary>
internal static unsafe partial class FdPassing
{
    private const int SolSocket = 1;
    private const int ScmRights = 1;
    private const int MsgNoSignal = 0x4000;
    private const int MsgCloseOnExec = 0x40000000;
    private const int AfUnix = 1;
    private const int SockStreamCloseOnExec = 1 | 0x80000;
    private const int Interrupted = 4;

    /// <summary>sun_path of sockaddr_un, with its closing NUL.</summary>
    private const int PathRoom = 108;

    /// <summary>Sends one byte and <paramref name="fd"/>; ssh reads exactly that of a ProxyCommand with ProxyUseFdpass.</summary>
    public static void Send(int socket, int fd)
    {
        byte payload = 0;
        var control = new RightsMessage { Length = RightsMessage.Used, Level = SolSocket, Type = ScmRights, Fd = fd };
        var part = new IoVector { Base = &payload, Length = 1 };
        var message = new MessageHeader { Parts = &part, PartCount = 1, Control = &control, ControlLength = sizeof(RightsMessage) };
        nint sent;
        do
        {
            sent = SendMessage(socket, &message, MsgNoSignal);
        }
        while (IsInterrupted(sent));
        Check(sent, "sendmsg");
    }

    /// <summary>Waits for one descriptor. It is closed on exec.</summary>
    /// <exception cref="IOException">The other end closed, or sent something else.</exception>
    public static int Receive(int socket)
    {
        byte payload = 0;
        var control = new RightsMessage { Fd = -1 };
        var part = new IoVector { Base = &payload, Length = 1 };
        var message = new MessageHeader { Parts = &part, PartCount = 1, Control = &control, ControlLength = sizeof(RightsMessage) };
        nint read;
        do
        {
            read = ReceiveMessage(socket, &message, MsgCloseOnExec);
        }
        while (IsInterrupted(read));
        Check(read, "recvmsg");
        return read == 1 && control is { Level: SolSocket, Type: ScmRights } && control.Length == RightsMessage.Used
            ? control.Fd
            : throw new IOException("the other end did not hand over a connection");
    }

    public static int Connect(string path)
    {
        var address = new UnixAddress { Family = AfUnix };
        var bytes = System.Text.Encoding.UTF8.GetBytes(path);
        if (bytes.Length >= PathRoom)
        {
            throw new IOException($"{path} is too long for a Unix socket");
        }

        bytes.CopyTo(new Span<byte>(address.Path, PathRoom));
        var socket = OpenSocket(AfUnix, SockStreamCloseOnExec, 0);
        Check(socket, "socket");
        Check(ConnectSocket(socket, &address, sizeof(UnixAddress)), $"connect {path}");
        return socket;
    }

    private static bool IsInterrupted(nint result) => result < 0 && Marshal.GetLastPInvokeError() == Interrupted;

    private static void Check(nint result, string call)
    {
        if (result < 0)
        {
            throw new IOException($"{call}: {Marshal.GetPInvokeErrorMessage(Marshal.GetLastPInvokeError())}");
        }
    }

    // Layouts of <sys/socket.h> and <sys/un.h> in glibc; native-sized members make them right on x64, arm64 and 32-bit Arm alike.
    [StructLayout(LayoutKind.Sequential)]
    private struct MessageHeader
    {
        public void* Name;
        public uint NameLength;
        public IoVector* Parts;
        public nint PartCount;
        public RightsMessage* Control;
        public nint ControlLength;
        public int Flags;
    }

    [StructLayout(LayoutKind.Sequential)]
    private struct IoVector
    {
        public byte* Base;
        public nint Length;
    }

    /// <summary>One cmsghdr with one descriptor; the struct's own padding is CMSG_SPACE.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private struct RightsMessage
    {
        public nint Length;
        public int Level;
        public int Type;
        public int Fd;

        /// <summary>CMSG_LEN(sizeof(int)): without the padding at the end.</summary>
        public static nint Used => sizeof(nint) + (3 * sizeof(int));
    }

    [StructLayout(LayoutKind.Sequential)]
    private struct UnixAddress
    {
        public ushort Family;
        public fixed byte Path[PathRoom];
    }

    [LibraryImport("libc", EntryPoint = "sendmsg", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial nint SendMessage(int socket, MessageHeader* message, int flags);

    [LibraryImport("libc", EntryPoint = "recvmsg", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial nint ReceiveMessage(int socket, MessageHeader* message, int flags);

    [LibraryImport("libc", EntryPoint = "socket", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int OpenSocket(int domain, int type, int protocol);

    [LibraryImport("libc", EntryPoint = "connect", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int ConnectSocket(int socket, UnixAddress* address, int length);
}
