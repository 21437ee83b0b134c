using System.Buffers.Binary;
using System.Collections.Immutable;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using Common.Time;
using InternalHost.Configuration;
using InternalHost.Wan.Links;

namespace InternalHost.Wan.Clock;

/// <summary>Asks all time servers at once through one uplink, by address; two have to agree.</summary>
internal sealed class SntpClient(ImmutableArray<IPEndPoint> servers, UplinkMeter meter, TimeProvider time)
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(4);

    /// <summary>A request or its answer may be lost once.</summary>
    private static readonly TimeSpan AskAgainAfter = TimeSpan.FromSeconds(1.5);

    /// <returns>The time and the moment at which it was that time; null: no two servers agreed.</returns>
    public async Task<(DateTimeOffset Wall, Instant At)?> AskAsync(UplinkOptions uplink, DateTimeOffset notBefore, CancellationToken ct)
    {
        using var limit = new CancellationTokenSource(Limit, time);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, ct);
        var asked = servers.Where(s => BoundSocket.Carries(uplink, s.AddressFamily)).Select(s => AskServerAsync(uplink, s, notBefore, stop.Token)).ToList();
        var answers = ImmutableArray<DateTimeOffset>.Empty;
        try
        {
            await foreach (var ended in Task.WhenEach(asked))
            {
                if (await ended is { } answer)
                {
                    answers = answers.Add(answer.Wall - (answer.At - default(Instant)));
                    if (SntpMessage.Vote(answers) is { } agreed)
                    {
                        return (agreed + (answer.At - default(Instant)), answer.At);
                    }
                }
            }

            ct.ThrowIfCancellationRequested();
            return null;
        }
        finally
        {
            await stop.CancelAsync();
            await Task.WhenAll(asked);
        }
    }

    /// <summary>Never faults: a server that does not answer has no vote.</summary>
    private async Task<(DateTimeOffset Wall, Instant At)?> AskServerAsync(UplinkOptions uplink, IPEndPoint server, DateTimeOffset notBefore, CancellationToken ct)
    {
        try
        {
            using var socket = BoundSocket.Udp(uplink, server.AddressFamily);
            await socket.ConnectAsync(server, ct);
            return await ExchangeAsync(uplink, socket, notBefore, AskAgainAfter, ct) ?? await ExchangeAsync(uplink, socket, notBefore, Limit, ct);
        }
        catch (Exception e) when (e is SocketException or UplinkException or OperationCanceledException)
        {
            return null;
        }
    }

    private async Task<(DateTimeOffset Wall, Instant At)?> ExchangeAsync(
        UplinkOptions uplink, Socket socket, DateTimeOffset notBefore, TimeSpan patience, CancellationToken ct)
    {
        using var limit = new CancellationTokenSource(patience, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, ct);
        var nonce = BinaryPrimitives.ReadUInt64BigEndian(RandomNumberGenerator.GetBytes(sizeof(ulong)));
        var sent = Instant.Now(time);
        await socket.SendAsync(SntpMessage.Request(nonce), either.Token);
        meter.Add(uplink.Name, SntpMessage.Length, 0);
        var buffer = new byte[512];
        try
        {
            while (true)
            {
                var length = await socket.ReceiveAsync(buffer, either.Token);
                var received = Instant.Now(time);
                meter.Add(uplink.Name, 0, length);
                if (SntpMessage.TryRead(buffer.AsSpan(0, length), nonce, notBefore) is { } wall)
                {
                    return (wall + ((received - sent) / 2), received);
                }
            }
        }
        catch (OperationCanceledException) when (!ct.IsCancellationRequested)
        {
            return null;
        }
    }
}
