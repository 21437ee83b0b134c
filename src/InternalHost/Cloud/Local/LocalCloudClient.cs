using System.Net.Sockets;
using System.Text.Json;

namespace InternalHost.Cloud.Local;

/// <summary>Calls a local cloud: a connection for each call, so that what one call meets touches no other.</summary>
internal sealed class LocalCloudClient(string socketPath, TimeProvider time)
{
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(10);

    /// <summary>A reply carries the whole log when it is asked for.</summary>
    private const int LongestReply = 64 * 1024 * 1024;

    /// <exception cref="CloudException">Unreachable, refused, or carried out perhaps and not answered.</exception>
    public async Task<LocalCloudReply> CallAsync(LocalCloudRequest request, CancellationToken ct)
    {
        using var timeout = new CancellationTokenSource(Timeout, time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(ct, timeout.Token);
        using var line = new LineSocket(await ConnectAsync(both.Token, ct), LongestReply);
        try
        {
            await line.WriteAsync(request, LocalCloudJson.Default.LocalCloudRequest, both.Token);
            var reply = await line.ReadAsync(LocalCloudJson.Default.LocalCloudReply, both.Token);
            return (reply ?? throw Lost(request, "closed the connection without an answer", null)).OrThrow();
        }
        catch (OperationCanceledException e) when (!ct.IsCancellationRequested)
        {
            throw Lost(request, $"gave no answer in {Timeout.TotalSeconds} s", e);
        }
        catch (IOException e)
        {
            throw Lost(request, "broke the connection", e);
        }
        catch (JsonException e)
        {
            throw new CloudException(CloudFailure.Transient, $"the local cloud's answer to {request.Op} is none: {e.Message}", e);
        }
    }

    /// <summary>describe, start, stop, owner-start, owner-stop, self-stop, move: each is answered with the instance as it is then.</summary>
    /// <exception cref="CloudException"/>
    public async Task<InstanceSight> InstanceAsync(string op, CancellationToken ct)
    {
        var reply = await CallAsync(new(op), ct);
        return reply.Instance?.ToSight() ?? throw new CloudException(CloudFailure.Transient, $"the local cloud answered {op} without the instance");
    }

    /// <param name="modes">A JSON object with what is to change.</param>
    /// <exception cref="CloudException">Unreachable; or a key or value is wrong, and the message names it.</exception>
    public async Task SetModeAsync(string modes, CancellationToken ct)
    {
        using var document = JsonDocument.Parse(modes);
        _ = await CallAsync(new("set-mode", document.RootElement), ct);
    }

    private static CloudException Lost(LocalCloudRequest request, string how, Exception? inner) =>
        new(CloudFailure.LostReply, $"the local cloud {how} ({request.Op})", inner);

    private async Task<Socket> ConnectAsync(CancellationToken limited, CancellationToken ct)
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            await socket.ConnectAsync(new UnixDomainSocketEndPoint(socketPath), limited);
            return socket;
        }
        catch (Exception e)
        {
            socket.Dispose();
            ct.ThrowIfCancellationRequested();
            if (e is SocketException or OperationCanceledException)
            {
                throw new CloudException(
                    CloudFailure.Unreachable, $"no local cloud answers at {socketPath}: start it with 'internalhost local-cloud {Path.GetDirectoryName(socketPath)}'", e);
            }

            throw;
        }
    }
}
