using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using System.Text;
using Common.Time;

namespace InternalHost.Tunnel;

/// <summary>One connect and the wait for its banner, which is looked at (MSG_PEEK) and left for ssh to read.</summary>
internal sealed partial class DialAttempt
{
    private const int IpProtoTcp = 6;
    private const int TcpUserTimeout = 18;

    /// <summary>Unacknowledged data this old ends the connection; the kernel's own patience is 15 minutes.</summary>
    private const int UserTimeoutMilliseconds = 20_000;

    private const short PollIn = 1;
    private const short PollOut = 4;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(3);

    /// <summary>RFC 4253 4.2: the identification string begins so.</summary>
    private static readonly byte[] Beginning = "SSH-"u8.ToArray();

    private readonly Instant _started;
    private bool _connected;
    private bool _over;
    private bool _partial;

    private DialAttempt(DialTarget target, Socket socket, Instant started) => (Target, Socket, _started) = (target, socket, started);

    public DialTarget Target { get; }

    public Socket Socket { get; }

    public string Seen { get; private set; } = "";

    public bool HasBanner { get; private set; }

    /// <summary>Null: it failed at once, which the target remembers.</summary>
    public static DialAttempt? Start(DialTarget target, Func<IPAddress, Socket> open, Instant now)
    {
        Socket? socket = null;
        try
        {
            socket = open(target.Remote.Address);
            socket.Blocking = false;
            socket.NoDelay = true;
            socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.KeepAlive, true);
            socket.SetRawSocketOption(IpProtoTcp, TcpUserTimeout, BitConverter.GetBytes(UserTimeoutMilliseconds));
            var attempt = new DialAttempt(target, socket, now);
            attempt.Connect();
            return attempt;
        }
        catch (Exception e) when (e is SocketException or IOException)
        {
            socket?.Dispose();
            target.Last = Explain(target.Remote, (e as SocketException ?? e.InnerException as SocketException)?.SocketErrorCode ?? SocketError.NetworkUnreachable);
            return null;
        }
    }

    /// <summary>Sleeps until one of them can go on, or for <paramref name="limit"/>; then takes each as far as it goes.</summary>
    public static void Wait(List<DialAttempt> attempts, TimeSpan limit)
    {
        var entries = attempts.Select(attempt => new PollEntry
        {
            // Part of a banner stays readable until the rest is there: poll would return at once, for ever.
            Fd = attempt._partial ? -1 : (int)attempt.Socket.Handle,
            Events = attempt._connected ? PollIn : PollOut,
        }).ToArray();
        var ready = Poll(entries, (nuint)entries.Length, Math.Max(1, (int)Math.Ceiling(limit.TotalMilliseconds)));
        for (var i = 0; i < entries.Length && ready >= 0; i++)
        {
            if (entries[i].Returned != 0 || attempts[i]._partial)
            {
                attempts[i].GoOn();
            }
        }
    }

    public bool IsOver(Instant now)
    {
        if (!_over && now - _started >= Patience)
        {
            Fail(_connected
                ? new(TunnelReason.NoBanner, $"{Target.Remote} is connected and stays silent")
                : new(TunnelReason.Timeout, $"{Target.Remote} does not answer"));
        }

        return _over;
    }

    private void Connect()
    {
        try
        {
            Socket.Connect(Target.Remote);
            _connected = true;
        }
        catch (SocketException e) when (e.SocketErrorCode is SocketError.WouldBlock or SocketError.InProgress)
        {
            // The usual case: poll tells when it is through.
        }
    }

    private void GoOn()
    {
        try
        {
            if (!_connected)
            {
                FinishConnect();
            }
            else
            {
                Peek();
            }
        }
        catch (SocketException e) when (e.SocketErrorCode is SocketError.WouldBlock)
        {
            // Not yet, after all.
        }
        catch (SocketException e)
        {
            Fail(Explain(Target.Remote, e.SocketErrorCode));
        }
    }

    private void FinishConnect()
    {
        var error = (SocketError)(int)Socket.GetSocketOption(SocketOptionLevel.Socket, SocketOptionName.Error)!;
        if (error != SocketError.Success)
        {
            throw new SocketException((int)error);
        }

        _connected = true;
    }

    private void Peek()
    {
        Span<byte> room = stackalloc byte[255];
        var seen = room[..Socket.Receive(room, SocketFlags.Peek)];
        if (seen.IsEmpty)
        {
            Fail(new(TunnelReason.NoBanner, $"{Target.Remote} closed without a banner"));
            return;
        }

        var end = seen.IndexOf((byte)'\n');
        Seen = Encoding.ASCII.GetString(end < 0 ? seen : seen[..end]);
        _partial = seen.Length < Beginning.Length && Beginning.AsSpan().StartsWith(seen);
        HasBanner = seen.StartsWith(Beginning);
        if (!HasBanner && !_partial)
        {
            Fail(new(TunnelReason.NoBanner, $"{Target.Remote} is not SSH, it says: {SshStderr.Sanitise(Seen)}"));
        }
    }

    private void Fail(TunnelFailure failure)
    {
        Target.Last = failure;
        _over = true;
    }

    private static TunnelFailure Explain(IPEndPoint remote, SocketError error) => error switch
    {
        SocketError.ConnectionRefused => new(TunnelReason.Refused, $"{remote} refuses: nothing listens there"),
        SocketError.TimedOut => new(TunnelReason.Timeout, $"{remote} does not answer"),
        SocketError.ConnectionReset or SocketError.ConnectionAborted => new(TunnelReason.NoBanner, $"{remote} reset the connection before its banner"),
        _ => new(TunnelReason.NoRoute, $"no way to {remote} by this uplink: {error}"),
    };

    [StructLayout(LayoutKind.Sequential)]
    private struct PollEntry
    {
        public int Fd;
        public short Events;
        public short Returned;
    }

    [LibraryImport("libc", EntryPoint = "poll", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Poll([In, Out] PollEntry[] entries, nuint count, int timeout);
}
