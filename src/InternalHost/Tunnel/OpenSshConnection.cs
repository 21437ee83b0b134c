using System.Collections.Immutable;
using System.Net.Sockets;
using Common.Processes;

namespace InternalHost.Tunnel;

/// <summary>One authenticated ssh master, from its login to its end.</summary>
internal sealed class OpenSshConnection : ITunnelConnection
{
    private readonly IChildProcess _child;
    private readonly SshControl _control;
    private readonly Socket _socket;
    private readonly SshPaths _paths;
    private readonly SshLog _log;
    private readonly SemaphoreSlim _directGate = new(1);
    private ImmutableHashSet<int> _directPorts = [];

    /// <summary>Protects <see cref="_lastSeen"/>, which outlives the socket.</summary>
    private readonly Lock _bytesGate = new();
    private TcpBytes _lastSeen;

    /// <param name="socket">The same connection that ssh uses. We neither read nor write it: it tells what the kernel has counted.</param>
    public OpenSshConnection(IChildProcess child, SshControl control, Socket socket, SshPaths paths, SshLog log)
    {
        (_child, _control, _socket, _paths, _log) = (child, control, socket, paths, log);
        Ended = AwaitEndAsync();
    }

    public Task<TunnelFailure> Ended { get; }

    public long BytesReceived => Bytes().Received;

    public long BytesSent => Bytes().Acknowledged;

    public Task<TunnelReason?> ForwardAsync(RemoteForward forward, CancellationToken ct) => _control.ForwardAsync(forward, ct);

    public Task CancelAsync(RemoteForward forward, CancellationToken ct) => _control.CancelAsync(forward, ct);

    public async Task<Stream> OpenDirectAsync(int port, CancellationToken ct)
    {
        await EnsureDirectAsync(port, ct);
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            await socket.ConnectAsync(new UnixDomainSocketEndPoint(_paths.Direct(port)), ct);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch (Exception e)
        {
            socket.Dispose();
            throw e is SocketException ? new IOException($"no way to port {port} of the bastion: {e.Message}", e) : e;
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _child.StopAsync();
        await Ended;
        await _child.DisposeAsync();
    }

    /// <summary>Asked of the master once for each port: no process is started for each probe.</summary>
    private async Task EnsureDirectAsync(int port, CancellationToken ct)
    {
        if (_directPorts.Contains(port))
        {
            return;
        }

        await _directGate.WaitAsync(ct);
        try
        {
            if (!_directPorts.Contains(port))
            {
                await _control.OpenDirectAsync(_paths.Direct(port), port, ct);
                _directPorts = _directPorts.Add(port);
            }
        }
        finally
        {
            _directGate.Release();
        }
    }

    private TcpBytes Bytes()
    {
        lock (_bytesGate)
        {
            _lastSeen = TcpBytes.Of(_socket) ?? _lastSeen;
            return _lastSeen;
        }
    }

    private async Task<TunnelFailure> AwaitEndAsync()
    {
        var exit = await _child.Exited;
        _ = Bytes();
        // While we hold it the kernel keeps the connection open, and the server its listeners.
        _socket.Dispose();
        _paths.Delete(_directPorts);
        return exit.StoppedByUs
            ? new(TunnelReason.Stopped, "ended by us")
            : SshStderr.Classify(_log.All(), exit.Code, SshPhase.Connected);
    }
}
