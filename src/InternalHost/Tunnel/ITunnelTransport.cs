using System.Net.Sockets;
using InternalHost.Configuration;

namespace InternalHost.Tunnel;

/// <summary>
/// Port to one SSH connection with forwards: the system's OpenSSH client today (docs/decisions/0001). It is given a socket that
/// is already bound to an uplink and connected, with the server's banner waiting in it.
/// </summary>
public interface ITunnelTransport
{
    /// <summary>Authenticates over <paramref name="socket"/>, which then belongs to the connection. Returns when forwards can be asked for.</summary>
    /// <exception cref="TunnelException">Refused, denied, other host key, hang, closed: see its reason.</exception>
    Task<ITunnelConnection> ConnectAsync(Socket socket, int run, CancellationToken ct);
}

public interface ITunnelConnection : IAsyncDisposable
{
    /// <summary>Asks the server to listen on its 127.0.0.1:<see cref="RemoteForward.BastionPort"/>. Null: it listens; else why not. The connection stays.</summary>
    Task<TunnelReason?> ForwardAsync(RemoteForward forward, CancellationToken ct);

    /// <summary>Drops one remote forward; connections through other forwards are not touched.</summary>
    Task CancelAsync(RemoteForward forward, CancellationToken ct);

    /// <summary>A direct-tcpip channel (RFC 4254 7.2) to 127.0.0.1:<paramref name="port"/> of the bastion.</summary>
    /// <exception cref="IOException">Not open.</exception>
    Task<Stream> OpenDirectAsync(int port, CancellationToken ct);

    /// <summary>Bytes received from the bastion on the TCP connection so far (TCP_INFO): the proof of life that a missed echo is held against.</summary>
    long BytesReceived { get; }

    /// <summary>Bytes sent and acknowledged on the TCP connection so far.</summary>
    long BytesSent { get; }

    /// <summary>Completes when the connection has ended, with the reason. Never faults.</summary>
    Task<TunnelFailure> Ended { get; }
}

/// <summary>One forward from the bastion's 127.0.0.1:<paramref name="BastionPort"/> to a service inside, or to a Unix socket of ours.</summary>
public sealed record RemoteForward(string Name, int BastionPort, string Target)
{
    public static RemoteForward To(ServiceOptions service) =>
        new(service.Name, service.BastionPort, $"{service.TargetHost}:{service.TargetPort}");
}

/// <summary>Why a tunnel is not up. Stored and shown: numbers are fixed.</summary>
public enum TunnelReason
{
    Unknown = 0,

    /// <summary>No SYN-ACK in time on any address and port.</summary>
    Timeout = 1,
    Refused = 2,
    NoRoute = 3,

    /// <summary>The port answers but is not SSH, or stays silent.</summary>
    NoBanner = 4,

    /// <summary>Banner seen, key exchange never finished: path MTU suspected.</summary>
    KexHang = 5,
    HostKeyChanged = 6,

    /// <summary>Our key or account is refused.</summary>
    Denied = 7,

    /// <summary>The server is up but not ready for logins (/run/nologin).</summary>
    Booting = 8,

    /// <summary>A forward's port is taken on the bastion.</summary>
    ForwardBusy = 9,

    /// <summary>The server does not permit this listen port to us.</summary>
    ForwardNotPermitted = 10,
    MuxDisabled = 11,

    /// <summary>Keepalives were not answered.</summary>
    ServerAliveTimeout = 12,
    Closed = 13,

    /// <summary>Connected, but the nonce did not come round.</summary>
    LoopProbeFailed = 14,

    /// <summary>The nonce came round from somebody else, or somebody else answers on our port.</summary>
    ForeignListener = 15,

    /// <summary>ssh itself could not be started.</summary>
    NoSshClient = 16,

    /// <summary>We ended it.</summary>
    Stopped = 17,

    /// <summary>Closed soon after it was verified, again and again: another login of our account ends it.</summary>
    Evicted = 18,
}

/// <param name="Detail">The line that told us, sanitised, for status and log.</param>
public sealed record TunnelFailure(TunnelReason Reason, string Detail);

public sealed class TunnelException(TunnelFailure failure, Exception? inner = null) : Exception($"{failure.Reason}: {failure.Detail}", inner)
{
    public TunnelFailure Failure { get; } = failure;
}
