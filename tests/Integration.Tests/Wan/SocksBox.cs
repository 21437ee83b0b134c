using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;

namespace Integration.Tests.Wan;

internal enum BoxMode
{
    Unknown = 0,
    Relays = 1,

    /// <summary>The target cannot be reached by it, and it says so.</summary>
    Refuses = 2,

    /// <summary>It is still trying to reach the target.</summary>
    Hangs = 3,

    /// <summary>It says yes and closes.</summary>
    HangsUp = 4,

    /// <summary>It says yes and plays the target itself, which it cannot.</summary>
    Impostor = 5,
    WantsPassword = 6,
    Silent = 7,

    /// <summary>Its rules forbid the target.</summary>
    Forbids = 8,
    NoSocks = 9,
}

/// <summary>A LAN box with a SOCKS 5 server (RFC 1928) that is well or ill in one way.</summary>
internal sealed class SocksBox : IAsyncDisposable
{
    private readonly CancellationTokenSource _stop = new();
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly BoxMode _mode;
    private readonly Task _serving;

    public SocksBox(BoxMode mode)
    {
        _mode = mode;
        _listener.Start();
        _serving = ServeAsync();
    }

    public IPEndPoint EndPoint => (IPEndPoint)_listener.LocalEndpoint;

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        _listener.Dispose();
        await _serving;
        _stop.Dispose();
    }

    private async Task ServeAsync()
    {
        var all = new List<Task>();
        try
        {
            while (true)
            {
                all.Add(ServeAsync(await _listener.AcceptSocketAsync(_stop.Token)));
            }
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            await Task.WhenAll(all);
        }
    }

    private async Task ServeAsync(Socket socket)
    {
        await using var stream = new NetworkStream(socket, ownsSocket: true);
        try
        {
            await AnswerAsync(stream);
        }
        catch (Exception e) when (e is OperationCanceledException or IOException or SocketException)
        {
            // The client is gone, or the box is.
        }
    }

    private async Task AnswerAsync(NetworkStream stream)
    {
        var hello = new byte[3];
        await stream.ReadExactlyAsync(hello, _stop.Token);
        switch (_mode)
        {
            case BoxMode.Silent:
                await Task.Delay(Timeout.Infinite, _stop.Token);
                break;
            case BoxMode.NoSocks:
                await stream.WriteAsync("HTTP/1.1 400 Bad Request\r\n\r\n"u8.ToArray(), _stop.Token);
                return;
        }

        await stream.WriteAsync(new byte[] { 5, (byte)(_mode == BoxMode.WantsPassword ? 2 : 0) }, _stop.Token);
        var request = new byte[10];
        await stream.ReadExactlyAsync(request, _stop.Token);
        var target = new IPEndPoint(new IPAddress(request.AsSpan(4, 4)), BinaryPrimitives.ReadUInt16BigEndian(request.AsSpan(8)));
        if (_mode == BoxMode.Hangs)
        {
            await Task.Delay(Timeout.Infinite, _stop.Token);
        }

        using var far = new TcpClient();
        var code = _mode switch
        {
            BoxMode.Refuses => (byte)4,   // host unreachable
            BoxMode.Forbids => (byte)2,
            _ => (byte)0,
        };
        if (_mode == BoxMode.Relays && !await TryConnectAsync(far, target))
        {
            code = 5;   // connection refused
        }

        // The bound address may be of any kind; a name is the least usual.
        await stream.WriteAsync(new byte[] { 5, code, 0, 3, 2, (byte)'m', (byte)'e', 0, 80 }, _stop.Token);
        if (code == 0 && _mode == BoxMode.Impostor)
        {
            await stream.WriteAsync("HTTP/1.1 302 Found\r\nLocation: http://portal/\r\n\r\n"u8.ToArray(), _stop.Token);
        }
        else if (code == 0 && _mode == BoxMode.Relays)
        {
            await Task.WhenAny(stream.CopyToAsync(far.GetStream(), _stop.Token), far.GetStream().CopyToAsync(stream, _stop.Token));
        }
    }

    private async Task<bool> TryConnectAsync(TcpClient far, IPEndPoint target)
    {
        try
        {
            await far.ConnectAsync(target, _stop.Token);
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }
}
