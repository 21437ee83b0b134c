using System.Net.Sockets;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace InternalHost.Control;

/// <summary>
/// Answers on the control socket: one JSON object a line each way (docs: DESIGN 10). Whatever comes in gets one line back; nothing that
/// comes in can stop the daemon or keep it from answering others for long.
/// </summary>
internal sealed partial class ControlServer(string path, IControlHandler handler, TimeProvider time, ILogger<ControlServer> logger) : BackgroundService
{
    public const int MaxClients = 16;

    /// <summary>More than the clients that are served, so that the others are told so.</summary>
    private const int Backlog = 64;

    private readonly List<Task> _clients = [];
    private Socket? _listener;

    public string SocketPath => path;

    /// <summary>Binds before any service works: who finds the socket finds a daemon that answers.</summary>
    public override Task StartAsync(CancellationToken cancellationToken)
    {
        _listener = ControlSocketFile.Listen(path, Backlog);
        return base.StartAsync(cancellationToken);
    }

    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        await base.StopAsync(cancellationToken);
        _listener?.Dispose();
        if (File.Exists(path))
        {
            File.Delete(path);
        }

        await Task.WhenAll(_clients).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (await AcceptAsync(stoppingToken) is { } client)
        {
            _clients.RemoveAll(c => c.IsCompleted);
            _clients.Add(new ControlConnection(client, handler, time, logger).ServeAsync(_clients.Count >= MaxClients, stoppingToken));
        }
    }

    public override void Dispose()
    {
        _listener?.Dispose();
        base.Dispose();
    }

    private async Task<Socket?> AcceptAsync(CancellationToken stop)
    {
        while (!stop.IsCancellationRequested)
        {
            try
            {
                return await _listener!.AcceptAsync(stop);
            }
            catch (OperationCanceledException)
            {
                return null;
            }
            catch (SocketException e)
            {
                // Out of descriptors, most likely: they come back.
                LogAcceptFailed(e);
                await Task.Delay(TimeSpan.FromSeconds(1), time, stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }

        return null;
    }

    [LoggerMessage(EventId = 1, Level = LogLevel.Warning, Message = "A control connection could not be accepted.")]
    private partial void LogAcceptFailed(Exception e);
}
