using System.Collections.Immutable;
using System.Net;
using System.Net.Sockets;
using System.Threading.Channels;
using Common.Processes;
using InternalHost.Configuration;
using InternalHost.Tunnel;
using Microsoft.Extensions.Logging.Abstractions;

namespace Integration.Tests.Tunnel;

/// <summary>The whole tunnel as the daemon composes it, against one sshd; its news can be waited for.</summary>
internal sealed class Harness : IAsyncDisposable
{
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly Channel<TunnelNews> _news = Channel.CreateUnbounded<TunnelNews>();
    private readonly string _folder;

    public Harness(TestSshd sshd, BastionOptions? options = null, ImmutableArray<RemoteForward> services = default, TunnelPolicy? policy = null, IPAddress? source = null)
    {
        var bastion = options ?? sshd.Options;
        _folder = Path.Combine(sshd.Folder, $"r{Random.Shared.Next(10_000)}");
        Launcher = new SystemProcessLauncher(TimeProvider.System);
        Transport = new OpenSshTransport(Launcher, bastion, _folder, TimeProvider.System);
        Dialler = new BannerDialler(address => Bound(source, address), bastion.Ports, TimeProvider.System);
        Service = new TunnelService(
            Transport, Dialler, bastion, services.IsDefault ? [] : services, _folder, TimeProvider.System,
            NullLogger<TunnelService>.Instance, news => _news.Writer.TryWrite(news), policy);
    }

    public SystemProcessLauncher Launcher { get; }

    public OpenSshTransport Transport { get; }

    public BannerDialler Dialler { get; }

    public TunnelService Service { get; }

    /// <summary>News that came and was not asked for.</summary>
    public List<TunnelNews> Others { get; } = [];

    public static async Task<Harness> StartAsync(
        TestSshd sshd, BastionOptions? options = null, ImmutableArray<RemoteForward> services = default, TunnelPolicy? policy = null, IPAddress? source = null)
    {
        var harness = new Harness(sshd, options, services, policy, source);
        await harness.Service.StartAsync(CancellationToken.None);
        harness.Service.Want([sshd.Address]);
        return harness;
    }

    public async Task<T> NextAsync<T>(TimeSpan? patience = null)
        where T : TunnelNews
    {
        using var limit = new CancellationTokenSource(patience ?? Patience);
        try
        {
            while (true)
            {
                var news = await _news.Reader.ReadAsync(limit.Token);
                if (news is T wanted)
                {
                    return wanted;
                }

                Others.Add(news);
            }
        }
        catch (OperationCanceledException e)
        {
            throw new TimeoutException($"no {typeof(T).Name}; the tunnel is {Service.Snapshot}; other news: {string.Join(", ", Others)}", e);
        }
    }

    /// <summary>Reads every snapshot until one fits.</summary>
    public async Task<TunnelSnapshot> UntilAsync(Func<TunnelSnapshot, bool> fits, TimeSpan? patience = null)
    {
        using var limit = new CancellationTokenSource(patience ?? Patience);
        while (true)
        {
            var snapshot = Service.Snapshot;
            if (fits(snapshot))
            {
                return snapshot;
            }

            if (limit.IsCancellationRequested)
            {
                throw new TimeoutException($"the tunnel stayed {snapshot}");
            }

            await Task.Delay(20);
        }
    }

    /// <summary>Watches for a while and fails if the tunnel is ever called verified.</summary>
    public async Task NeverVerifiedAsync(TimeSpan duration)
    {
        using var limit = new CancellationTokenSource(duration);
        while (!limit.IsCancellationRequested)
        {
            Assert.False(Service.Snapshot.IsUp, $"{Service.Snapshot}");
            await Task.Delay(10);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await Service.StopAsync(CancellationToken.None);
        Service.Dispose();
    }

    private static Socket Bound(IPAddress? source, IPAddress address)
    {
        var socket = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        if (source is not null)
        {
            socket.Bind(new IPEndPoint(source, 0));
        }

        return socket;
    }
}
