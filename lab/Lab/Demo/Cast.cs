using Common.Processes;
using InternalHost.Cloud.Local;
using Lab.World;

namespace Lab.Demo;

/// <summary>Everybody who plays: the provider with its VM, the sshd at home, the SMS gateway, the daemon. Ended in the reverse order.</summary>
internal sealed class Cast : IAsyncDisposable
{
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(10);

    private readonly Stack<IAsyncDisposable> _playing = new();
    private readonly RunFolder _folder;

    private Cast(RunFolder folder) => _folder = folder;

    public required SmsInbox Phone { get; init; }

    public required TlsServer Gateway { get; init; }

    /// <summary>Everything that has arrived at the SMS gateway.</summary>
    public IReadOnlyList<GatewayMessage> Messages => [.. _playing.OfType<TwilioGateway>().Single().Messages];

    public IChildProcess Cloud { get; private set; } = null!;

    public IChildProcess Daemon { get; private set; } = null!;

    public static async Task<Cast> StartAsync(IDemoWorld world, RunFolder folder, TwilioAccount account, TimeProvider time)
    {
        var phone = new SmsInbox();
        var gateway = await TwilioGateway.StartAsync(account, time: time);
        gateway.Received += phone.Take;
        var cast = new Cast(folder) { Phone = phone, Gateway = await world.ServeGatewayAsync(gateway.AnswerAsync) };
        cast._playing.Push(gateway);
        return cast;
    }

    /// <summary>The sshd that people come for.</summary>
    public async Task StartHomeAsync(DemoSite site, IDemoWorld world, TimeProvider time, CancellationToken ct) =>
        _playing.Push(await PrivateSshd.StartAsync(site.HomeSshd, world.Home, time, ct));

    public async Task StartCloudAsync(DemoSite site, IDemoWorld world, CancellationToken ct)
    {
        var ready = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var log = Log("local-cloud.log");
        Cloud = Keep(world.Cloud.Start(Programs.InternalHost("local-cloud", site.CloudFolder), (stream, line) =>
        {
            log(stream, line);
            if (line.Contains("ready at", StringComparison.Ordinal))
            {
                ready.TrySetResult();
            }
        }));
        if (await Task.WhenAny(ready.Task, Cloud.Exited).WaitAsync(ct) != ready.Task)
        {
            throw new StepFailedException($"local-cloud ended: {LastLines("local-cloud.log")}");
        }
    }

    public void StartDaemon(DemoSite site, IDemoWorld world) =>
        Daemon = Keep(world.Home.Start(Programs.InternalHost("run", "--config", site.ConfigurationFile), Log("internalhost.log")));

    /// <summary>What somebody said last, for the reader of a failed run.</summary>
    public string LastLines(string log) =>
        File.Exists(_folder.File(log)) ? string.Join('\n', File.ReadLines(_folder.File(log)).TakeLast(15).Select(l => "      " + l)) : "      (nothing)";

    /// <summary>As systemd would: SIGTERM, and an exit status of 0.</summary>
    public async Task EndAsync()
    {
        var daemon = await Daemon.StopAsync(Grace);
        var cloud = await Cloud.StopAsync(Grace);
        if (daemon.Code != 0 || cloud.Code != 0)
        {
            throw new StepFailedException($"exit status of internalhost {daemon.Code} (signal {daemon.Signal}), of local-cloud {cloud.Code} (signal {cloud.Signal})");
        }
    }

    public async ValueTask DisposeAsync()
    {
        while (_playing.TryPop(out var one))
        {
            if (one is IChildProcess child)
            {
                await child.StopAsync(Grace);
            }

            await one.DisposeAsync();
        }
    }

    private IChildProcess Keep(IChildProcess child)
    {
        _playing.Push(child);
        return child;
    }

    private Action<ProcessStream, string> Log(string name)
    {
        var gate = new Lock();
        return (_, line) =>
        {
            lock (gate)
            {
                File.AppendAllText(_folder.File(name), line + "\n");
            }
        };
    }
}
