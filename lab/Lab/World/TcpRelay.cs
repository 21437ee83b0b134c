using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;

namespace Lab.World;

/// <summary>
/// A TCP relay in the middle. It obeys the link that each client is behind: a dark link drops SYNs and stops data without closing
/// anything; a limited or delayed one carries accordingly. What was under way is held, and goes on when the link is back.
/// </summary>
public sealed class TcpRelay : IAsyncDisposable
{
    private static readonly TimeSpan TargetLookInterval = TimeSpan.FromMilliseconds(50);

    private readonly IPEndPoint _target;
    private readonly Links _links;
    private readonly CancellationTokenSource _ending = new();
    private readonly ConcurrentDictionary<RelayedConnection, Task> _connections = new();
    private readonly Lock _gate = new();
    private readonly Task _work;
    private DarkableListener? _listener;

    private TcpRelay(IPEndPoint listen, IPEndPoint target, Links links, bool followTarget)
    {
        _target = target;
        _links = links;
        Endpoint = listen;
        foreach (var link in links.All)
        {
            link.Changed += OnLinkChanged;
        }

        if (!followTarget || ListeningSockets.Has(target))
        {
            Open();
        }

        _work = followTarget ? FollowAsync() : Task.CompletedTask;
    }

    /// <summary>Where clients connect to; the real port when 0 was asked for.</summary>
    public IPEndPoint Endpoint { get; private set; }

    public int Connections => _connections.Count;

    /// <param name="links">Who is behind which link; one <see cref="Link"/> without a source holds for everybody.</param>
    /// <param name="followTarget">Listens only while the target does, so that a machine that is off refuses here as well.</param>
    public static TcpRelay Start(IPEndPoint listen, IPEndPoint target, Links links, bool followTarget = false) =>
        new(listen, target, links, followTarget);

    public static TcpRelay Start(IPEndPoint listen, IPEndPoint target, Link link) => new(listen, target, new Links(link), followTarget: false);

    public async ValueTask DisposeAsync()
    {
        foreach (var link in _links.All)
        {
            link.Changed -= OnLinkChanged;
        }

        await _ending.CancelAsync();
        Close();
        await _work.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await Task.WhenAll(_connections.Values);
        _ending.Dispose();
    }

    private void Open()
    {
        var listener = new DarkableListener(Endpoint);
        Endpoint = listener.EndPoint;
        lock (_gate)
        {
            _listener = listener;
        }

        ApplyLinks();
        _ = AcceptAsync(listener);
    }

    private void Close()
    {
        lock (_gate)
        {
            _listener?.Dispose();
            _listener = null;
        }
    }

    private void OnLinkChanged(object? sender, EventArgs e) => ApplyLinks();

    private void ApplyLinks()
    {
        lock (_gate)
        {
            _listener?.SetDark(_links.All.Any(l => l.Dark && l.Source is null) ? null : [.. _links.All.Where(l => l.Dark).Select(l => l.Source!)]);
        }

        foreach (var connection in _connections.Keys)
        {
            connection.ApplyLink();
        }
    }

    private async Task AcceptAsync(DarkableListener listener)
    {
        while (!_ending.IsCancellationRequested)
        {
            Socket client;
            try
            {
                client = await listener.AcceptAsync(_ending.Token);
            }
            catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException)
            {
                return;
            }

            Serve(client);
        }
    }

    private void Serve(Socket client)
    {
        if (client.RemoteEndPoint is not IPEndPoint from)
        {
            client.Dispose();
            return;
        }

        var connection = new RelayedConnection(client, from.Address, _target, _links.For(from.Address));
        var started = new TaskCompletionSource();
        _connections[connection] = RunAsync();
        started.SetResult();

        async Task RunAsync()
        {
            await started.Task;
            await connection.RunAsync(_ending.Token);
            _connections.TryRemove(connection, out _);
        }
    }

    private async Task FollowAsync()
    {
        using var timer = new PeriodicTimer(TargetLookInterval);
        while (await timer.WaitForNextTickAsync(_ending.Token))
        {
            var wanted = ListeningSockets.Has(_target);
            if (wanted && _listener is null)
            {
                Open();
            }
            else if (!wanted && _listener is not null)
            {
                Close();
            }
        }
    }
}

/// <summary>Who listens on this machine, by the kernel's own table: asking it disturbs nobody.</summary>
public static class ListeningSockets
{
    public static bool Has(IPEndPoint endpoint)
    {
        // "  0: 0100007F:BF7E 00000000:0000 0A ...": the address in host byte order, the port, state 0A = LISTEN.
        var address = BitConverter.ToUInt32(endpoint.Address.GetAddressBytes()).ToString("X8", null);
        var port = endpoint.Port.ToString("X4", null);
        foreach (var line in File.ReadLines("/proc/net/tcp").Skip(1))
        {
            var fields = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
            if (fields is [_, var local, _, "0A", ..] && (local == $"{address}:{port}" || local == $"00000000:{port}"))
            {
                return true;
            }
        }

        return false;
    }
}
