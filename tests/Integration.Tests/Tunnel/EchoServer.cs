using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Integration.Tests.Tunnel;

/// <summary>A service of the LAN; and, on a port that should be ours, a stranger who says back whatever is said.</summary>
internal sealed class EchoServer : IAsyncDisposable
{
    private readonly CancellationTokenSource _stop = new();
    private readonly Socket _listener = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
    private readonly Task _serving;

    public EchoServer(int port = 0)
    {
        _listener.Bind(new IPEndPoint(IPAddress.Loopback, port));
        _listener.Listen();
        _serving = ServeAsync();
    }

    public int Port => ((IPEndPoint)_listener.LocalEndPoint!).Port;

    /// <summary>One line there and back through a loopback port.</summary>
    public static async Task<string> AskAsync(int port, string word)
    {
        using var limit = new CancellationTokenSource(Harness.Patience);
        using var client = new TcpClient();
        await client.ConnectAsync(IPAddress.Loopback, port, limit.Token);
        await client.GetStream().WriteAsync(Encoding.ASCII.GetBytes(word), limit.Token);
        var heard = new byte[word.Length];
        await client.GetStream().ReadExactlyAsync(heard, limit.Token);
        return Encoding.ASCII.GetString(heard);
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        _listener.Dispose();
        await _serving.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    private async Task ServeAsync()
    {
        while (true)
        {
            var caller = await _listener.AcceptAsync(_stop.Token);
            _ = EchoAsync(caller);
        }
    }

    private async Task EchoAsync(Socket caller)
    {
        using (caller)
        {
            var block = new byte[64 * 1024];
            try
            {
                while (await caller.ReceiveAsync(block, _stop.Token) is var read and > 0)
                {
                    await caller.SendAsync(block.AsMemory(0, read), _stop.Token);
                }
            }
            catch (Exception e) when (e is SocketException or OperationCanceledException)
            {
                // The caller went away.
            }
        }
    }
}
