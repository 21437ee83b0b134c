using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using Common.Agent;

namespace Bastion.Cli;

/// <summary>Asks the agent of this machine one thing.</summary>
internal static class AgentPort
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    /// <returns>Null: nobody answers there, or nothing that makes sense.</returns>
    public static async Task<AgentReply?> AskAsync(int port, AgentRequest request, CancellationToken ct)
    {
        using var timeout = CancellationTokenSource.CreateLinkedTokenSource(ct);
        timeout.CancelAfter(Patience);
        try
        {
            using var tcp = new TcpClient();
            await tcp.ConnectAsync(IPAddress.Loopback, port, timeout.Token);
            await tcp.GetStream().WriteAsync((byte[])[.. JsonSerializer.SerializeToUtf8Bytes(request, AgentJson.Default.AgentRequest), (byte)'\n'], timeout.Token);
            using var reader = new StreamReader(tcp.GetStream());
            return await reader.ReadLineAsync(timeout.Token) is { } line ? JsonSerializer.Deserialize(line, AgentJson.Default.AgentReply) : null;
        }
        catch (Exception e) when (e is SocketException or IOException or JsonException || (e is OperationCanceledException && !ct.IsCancellationRequested))
        {
            return null;
        }
    }
}
