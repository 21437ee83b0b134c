using System.Net.Sockets;
using System.Text.Json;

namespace InternalHost.Control;

/// <summary>Nobody answers on the control socket; the message says which, why, and what to do.</summary>
public sealed class ControlUnreachableException(string message, Exception? inner = null) : Exception(message, inner);

/// <summary>Asks a running daemon one thing.</summary>
public static class ControlClient
{
    private const int MaxReply = 4 * 1024 * 1024;
    private static readonly TimeSpan BusyDelay = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan AnswerLimit = TimeSpan.FromSeconds(30);

    /// <exception cref="ControlUnreachableException"/>
    public static async Task<ControlReply> AskAsync(string path, ControlRequest request, TimeProvider time, CancellationToken ct)
    {
        using var limit = new CancellationTokenSource(AnswerLimit, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, ct);
        using var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            await ConnectAsync(socket, new UnixDomainSocketEndPoint(path), time, either.Token);
            await using var stream = new NetworkStream(socket);
            await WriteAsync(stream, request, either.Token);
            return JsonSerializer.Deserialize(await ReadLineAsync(stream, either.Token), ControlJson.Default.ControlReply)
                ?? throw new JsonException("null");
        }
        catch (Exception e) when (!ct.IsCancellationRequested && e is SocketException or IOException or JsonException or OperationCanceledException or ArgumentException)
        {
            throw new ControlUnreachableException(Explain(path, e), e);
        }
    }

    /// <summary>A full queue (EAGAIN) is a daemon that is busy: it is asked again until the time is up.</summary>
    private static async Task ConnectAsync(Socket socket, UnixDomainSocketEndPoint daemon, TimeProvider time, CancellationToken ct)
    {
        while (true)
        {
            try
            {
                await socket.ConnectAsync(daemon, ct);
                return;
            }
            catch (SocketException e) when (e.SocketErrorCode is SocketError.WouldBlock)
            {
                await Task.Delay(BusyDelay, time, ct);
            }
        }
    }

    private static async Task WriteAsync(NetworkStream stream, ControlRequest request, CancellationToken ct)
    {
        byte[] line = [.. JsonSerializer.SerializeToUtf8Bytes(ControlLine.Of(request), ControlJson.Default.ControlLine), (byte)'\n'];
        try
        {
            await stream.WriteAsync(line, ct);
        }
        catch (IOException)
        {
            // Shut out before we spoke: the reason is waiting to be read.
        }
    }

    private static async Task<byte[]> ReadLineAsync(NetworkStream stream, CancellationToken ct)
    {
        var line = new MemoryStream();
        var chunk = new byte[8192];
        while (line.Length < MaxReply)
        {
            var length = await stream.ReadAsync(chunk, ct);
            if (length == 0)
            {
                break;
            }

            line.Write(chunk, 0, length);
            if (chunk[length - 1] == '\n')
            {
                break;
            }
        }

        return line.Length > 0 ? line.ToArray() : throw new IOException("the connection was closed without an answer");
    }

    private static string Explain(string path, Exception e) => e switch
    {
        SocketException { SocketErrorCode: SocketError.ConnectionRefused } => $"no daemon answers on {path} (one has died there): start it (systemctl start internalhost)",
        SocketException { SocketErrorCode: SocketError.AccessDenied } => $"this user may not ask on {path}: join the group internalhost, or use sudo",
        SocketException when !Path.Exists(path) => $"no daemon answers on {path}: start it (systemctl start internalhost), or name its configuration with -c FILE",
        OperationCanceledException => $"the daemon on {path} has not answered within {AnswerLimit.TotalSeconds:0} s: see its log (journalctl -u internalhost)",
        JsonException => $"what answers on {path} is not this version's daemon",
        _ => $"no answer on {path}: {e.Message}",
    };
}
