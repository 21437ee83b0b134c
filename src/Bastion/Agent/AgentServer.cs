using System.Net;
using System.Net.Sockets;
using Common.Agent;
using Common.Hosting;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Bastion.Agent;

/// <summary>
/// The agent's loopback port, opened to site accounts by sshd's PermitOpen: one JSON object a line each way
/// (<see cref="AgentRequest"/>, <see cref="AgentReply"/>). Whatever comes in, it answers or hangs up, and goes on.
/// </summary>
/// <param name="answer">Is told the asker's end of the connection too: by its owner the kernel says which site asks.</param>
internal sealed partial class AgentServer(
    int port, Func<AgentRequest, IPEndPoint, CancellationToken, Task<AgentReply>> answer, TimeProvider time, ILogger<AgentServer> logger) : BackgroundService
{
    /// <summary>A bastion has a handful of sites; each asks by one connection at a time.</summary>
    public const int MostConnections = 16;

    private readonly TcpListener _listener = new(IPAddress.Loopback, port);
    private readonly SemaphoreSlim _places = new(MostConnections);

    /// <summary>The port in use, also where 0 was asked for. Valid once started.</summary>
    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    public override Task StartAsync(CancellationToken cancellationToken)
    {
        // Here and not in the loop: a port that is taken must stop the start.
        try
        {
            _listener.Start();
        }
        catch (SocketException e)
        {
            throw new StartRefusedException($"port {port} on 127.0.0.1 cannot be had ({e.SocketErrorCode}): is another agent running? set agent_port", inner: e);
        }

        Listening(logger, Port);
        return base.StartAsync(cancellationToken);
    }

    public override void Dispose()
    {
        _listener.Dispose();
        _places.Dispose();
        base.Dispose();
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var open = new List<Task>();
        try
        {
            while (true)
            {
                var client = await _listener.AcceptTcpClientAsync(stoppingToken);
                open.RemoveAll(t => t.IsCompleted);
                open.Add(ServeAsync(client, stoppingToken));
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            await Task.WhenAll(open);
        }
    }

    private async Task ServeAsync(TcpClient client, CancellationToken ct)
    {
        using var _ = client;
        var placed = await _places.WaitAsync(0, CancellationToken.None);
        try
        {
            client.NoDelay = true;
            var asker = (IPEndPoint)client.Client.RemoteEndPoint!;
            var connection = new AgentConnection(client.GetStream(), (request, token) => answer(request, asker, token), time);
            await (placed ? connection.RunAsync(ct) : connection.RefuseAsync("busy: too many connections", ct));
        }
        catch (Exception e) when (e is IOException or SocketException or ObjectDisposedException or OperationCanceledException)
        {
            HungUp(logger, e.GetType().Name);   // gone, or too slow
        }
        finally
        {
            if (placed)
            {
                _places.Release();
            }
        }
    }

    [LoggerMessage(201, LogLevel.Information, "agent port: listening on 127.0.0.1:{Port}")]
    private static partial void Listening(ILogger logger, int port);

    [LoggerMessage(202, LogLevel.Debug, "agent port: connection ended ({Kind})")]
    private static partial void HungUp(ILogger logger, string kind);
}
