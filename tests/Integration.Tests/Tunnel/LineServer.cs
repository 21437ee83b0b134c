using System.Net;
using System.Net.Sockets;

namespace Integration.Tests.Tunnel;

/// <summary>Answers each line on a loopback port with another.</summary>
internal sealed class LineServer : IAsyncDisposable
{
    private readonly CancellationTokenSource _stop = new();
    private readonly TcpListener _listener;
    private readonly Task _serving;

    public LineServer(int port, Func<string, string> answer)
    {
        _listener = new TcpListener(IPAddress.Loopback, port);
        _listener.Start();
        _serving = ServeAsync(answer);
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _serving.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _listener.Dispose();
    }

    private async Task ServeAsync(Func<string, string> answer)
    {
        while (true)
        {
            using var caller = await _listener.AcceptTcpClientAsync(_stop.Token);
            using var reader = new StreamReader(caller.GetStream());
            await using var writer = new StreamWriter(caller.GetStream()) { AutoFlush = true };
            while (await reader.ReadLineAsync(_stop.Token) is { } line)
            {
                await writer.WriteAsync(answer(line) + "\n");
            }
        }
    }
}
