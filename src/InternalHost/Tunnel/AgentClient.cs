using System.Net.Sockets;
using System.Text.Json;
using Common.Agent;

namespace InternalHost.Tunnel;

/// <summary>Asks the agent on the bastion, over the tunnel. No answer is null, which means "not known", never "nobody there".</summary>
/// <param name="openDirect"><see cref="TunnelService.OpenDirectAsync"/>.</param>
/// <param name="port">The agent's loopback port; null: a bastion without our agent.</param>
internal sealed class AgentClient(Func<int, CancellationToken, Task<Stream>> openDirect, int? port, TimeProvider time)
{
    private const int AnswerCap = 64 * 1024;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    public Task<AgentReply?> AskAsync(string op, CancellationToken ct) => AskAsync(new AgentRequest(op), ct);

    public async Task<AgentReply?> AskAsync(AgentRequest request, CancellationToken ct)
    {
        if (port is not { } agentPort)
        {
            return null;
        }

        using var limit = new CancellationTokenSource(Patience, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, ct);
        try
        {
            await using var channel = await openDirect(agentPort, either.Token);
            await channel.WriteAsync(Line(request), either.Token);
            var line = await ReadLineAsync(channel, either.Token);
            return JsonSerializer.Deserialize(line.Span, AgentJson.Default.AgentReply);
        }
        catch (Exception e) when (e is IOException or SocketException or JsonException or OperationCanceledException)
        {
            ct.ThrowIfCancellationRequested();
            return null;
        }
    }

    private static byte[] Line(AgentRequest request) => [.. JsonSerializer.SerializeToUtf8Bytes(request, AgentJson.Default.AgentRequest), (byte)'\n'];

    private static async Task<ReadOnlyMemory<byte>> ReadLineAsync(Stream channel, CancellationToken ct)
    {
        var room = new byte[AnswerCap];
        var length = 0;
        while (length < room.Length)
        {
            var read = await channel.ReadAsync(room.AsMemory(length), ct);
            if (read == 0)
            {
                break;
            }

            length += read;
            if (room.AsSpan(0, length).IndexOf((byte)'\n') is var end and >= 0)
            {
                return room.AsMemory(0, end);
            }
        }

        throw new IOException("the agent's answer has no end");
    }
}
