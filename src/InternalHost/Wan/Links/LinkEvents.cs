using System.Net.Sockets;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace InternalHost.Wan.Links;

/// <summary>Wakes whoever watches a link when the kernel says that something changed.</summary>
internal interface ILinkEvents
{
    /// <summary>The kernel is listened to; otherwise the watchers must look by themselves.</summary>
    bool Listening { get; }

    /// <summary>Completes at the next change. Taken before a look, it misses nothing that happens during the look.</summary>
    Task Next { get; }
}

/// <summary>
/// Listens to the kernel's links, addresses, routes and rules. Only a wake-up: what became of a link is looked up by the one who is
/// woken, so that an event lost (the kernel says when: ENOBUFS) or repeated does no harm. Where netlink cannot be had, it says so once
/// and ends.
/// </summary>
/// <param name="open">The listening socket (<see cref="NetlinkSocket.ToListen"/>), made anew after a failure.</param>
internal sealed partial class LinkEvents(Func<Socket> open, TimeProvider time, ILogger<LinkEvents> log) : BackgroundService, ILinkEvents
{
    /// <summary>The kernel writes up to 32 KiB at once; what did not fit would be cut off.</summary>
    private const int DatagramLimit = 64 * 1024;

    private static readonly TimeSpan ReopenAfter = TimeSpan.FromSeconds(1);

    private readonly Lock _gate = new();
    private TaskCompletionSource _next = NewTurn();

    public bool Listening { get; private set; }

    public Task Next
    {
        get
        {
            lock (_gate)
            {
                return _next.Task;
            }
        }
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        try
        {
            while (true)
            {
                await ListenAsync(stoppingToken);
                await Task.Delay(ReopenAfter, time, stoppingToken);
            }
        }
        catch (SocketException e)
        {
            NotListening(log, e.Message);
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // The service stops.
        }
    }

    /// <summary>Until the socket fails.</summary>
    /// <exception cref="SocketException">It could not even be opened.</exception>
    private async Task ListenAsync(CancellationToken ct)
    {
        using var socket = open();
        Listening = true;
        Wake();   // whatever happened before we listened
        try
        {
            await ReceiveAsync(socket, ct);
        }
        catch (SocketException e)
        {
            Failed(log, e.Message);
        }
        finally
        {
            Listening = false;
            Wake();
        }
    }

    private async Task ReceiveAsync(Socket socket, CancellationToken ct)
    {
        var (buffer, news) = (new byte[DatagramLimit], new List<LinkNews>());
        while (true)
        {
            news.Clear();
            try
            {
                var length = await socket.ReceiveAsync(buffer, ct);
                var whole = LinkMessage.TryReadNews(buffer.AsSpan(0, length), news);
                news.ForEach(Tell);
                if (!whole || news.Count > 0)
                {
                    Wake();
                }
            }
            catch (SocketException e) when (e.SocketErrorCode == SocketError.NoBufferSpaceAvailable)
            {
                // More happened than was kept for us: look at everything.
                Wake();
            }
        }
    }

    private void Tell(LinkNews news)
    {
        if (log.IsEnabled(LogLevel.Debug))
        {
            Happened(log, news.Kind, news.Name ?? $"interface {news.Interface}", news.Address?.ToString() ?? "");
        }
    }

    private void Wake()
    {
        TaskCompletionSource turn;
        lock (_gate)
        {
            (turn, _next) = (_next, NewTurn());
        }

        turn.SetResult();
    }

    private static TaskCompletionSource NewTurn() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    [LoggerMessage(1211, LogLevel.Information, "the kernel's link events cannot be had ({Problem}): links are looked at every 500 ms instead")]
    private static partial void NotListening(ILogger log, string problem);

    [LoggerMessage(1212, LogLevel.Warning, "the kernel's link events failed ({Problem}): listening anew")]
    private static partial void Failed(ILogger log, string problem);

    [LoggerMessage(1213, LogLevel.Debug, "kernel: {Kind} {Interface} {Address}")]
    private static partial void Happened(ILogger log, LinkNewsKind kind, string @interface, string address);
}
