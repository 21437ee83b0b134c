using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Common.Time;

namespace Lab.Boxes;

/// <summary>
/// <c>lab router-watch ADDRESS:PORT INTERFACE RESOLVER</c>: a router that watches its own line, and tells whoever connects: <c>up 0.4</c>,
/// <c>down 12.0</c>, <c>unknown 0.0</c>; the seconds since it last looked. Three unanswered questions in a row are a dead line.
/// </summary>
internal sealed class RouterWatchCommand(string line, IPEndPoint resolver, TimeProvider time)
{
    private const int DeadAfter = 3;
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan Timeout = TimeSpan.FromMilliseconds(800);

    private volatile string _state = "unknown";
    private long _looked = Instant.Now(time).Ticks;

    public static async Task<int> RunAsync(string at, string line, string resolver, TimeProvider time, CancellationToken ct)
    {
        if (!IPEndPoint.TryParse(at, out var listen) || !IPAddress.TryParse(resolver, out var asked))
        {
            await Console.Error.WriteLineAsync("usage: lab router-watch ADDRESS:PORT INTERFACE RESOLVER");
            return 2;
        }

        var router = new RouterWatchCommand(line, new IPEndPoint(asked, 53), time);
        using var listener = new TcpListener(listen);
        listener.Start();
        await Task.WhenAny(router.WatchAsync(ct), router.TellAsync(listener, ct)).Unwrap();
        return 1;
    }

    private async Task WatchAsync(CancellationToken ct)
    {
        var missed = 0;
        while (true)
        {
            missed = await AnswersAsync(ct) ? 0 : missed + 1;
            _state = missed == 0 ? "up" : missed >= DeadAfter ? "down" : _state;
            Interlocked.Exchange(ref _looked, Instant.Now(time).Ticks);
            await Task.Delay(Interval, time, ct);
        }
    }

    private async Task TellAsync(TcpListener listener, CancellationToken ct)
    {
        while (true)
        {
            using var asking = await listener.AcceptSocketAsync(ct);
            var age = Instant.Now(time) - new Instant(Interlocked.Read(ref _looked));
            var said = Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{_state} {age.TotalSeconds:F1}\n"));
            try
            {
                await asking.SendAsync(said, ct);
                asking.Shutdown(SocketShutdown.Both);
            }
            catch (SocketException)
            {
                // It did not wait for the answer.
            }
        }
    }

    private async Task<bool> AnswersAsync(CancellationToken ct)
    {
        const int solSocket = 1;
        const int bindToDevice = 25;
        // One question for the root's name servers: any answer will do.
        byte[] question = [0x4c, 0x4c, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 2, 0, 1];
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(ct);
        limit.CancelAfter(Timeout);
        try
        {
            socket.SetRawSocketOption(solSocket, bindToDevice, Encoding.ASCII.GetBytes(line + "\0"));
            await socket.ConnectAsync(resolver, limit.Token);
            await socket.SendAsync(question, limit.Token);
            return await socket.ReceiveAsync(new byte[512], limit.Token) > 0;
        }
        catch (Exception e) when (e is SocketException or OperationCanceledException && !ct.IsCancellationRequested)
        {
            return false;
        }
    }
}
