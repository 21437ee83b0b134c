using System.Net.Sockets;
using System.Threading.Channels;
using Common.Processes;
using Common.Time;

namespace InternalHost.Cloud.Local;

/// <summary>
/// The instance in the flesh: performs effects one after another (held ports, sshd, agent) and answers with events. It also does what
/// the first boot's configuration of a VM does to sshd: <see cref="RestartOnce"/>.
/// </summary>
internal sealed class LocalInstanceHost : IAsyncDisposable
{
    /// <summary>sshd writes "Connection from" a moment before it sends its banner.</summary>
    private static readonly TimeSpan BannerOnItsWay = TimeSpan.FromMilliseconds(30);

    private readonly LocalCloudSettings _settings;
    private readonly Func<LocalCloudModes> _modes;
    private readonly IProcessLauncher _launcher;
    private readonly TimeProvider _time;
    private readonly ProviderLog _log;
    private readonly Action<LocalInstanceEvent> _post;
    private readonly Action<Exception> _fault;
    private readonly LocalAgent? _agent;

    /// <summary>One reader runs what is written, in order: of the fields below it is the only writer.</summary>
    private readonly Channel<Func<Task>> _work = Channel.CreateUnbounded<Func<Task>>(new() { SingleReader = true });
    private readonly Task _worker;

    private BootPorts? _ports;
    private PrivateSshd? _sshd;
    private int _number;
    private int _place;

    /// <summary>Cancelled by the End of a launch, so that nothing of it is waited for.</summary>
    private CancellationTokenSource _launch = new();

    /// <summary>What may still restart sshd in this launch; read by sshd's log lines on any thread.</summary>
    private int _restart = (int)RestartOnce.No;

    /// <param name="post">Takes the answers.</param>
    /// <param name="fault">Takes what should not happen; nothing is performed after it.</param>
    public LocalInstanceHost(
        LocalCloudSettings settings, string directory, Func<LocalCloudModes> modes, IProcessLauncher launcher, TimeProvider time, ProviderLog log,
        Action<LocalInstanceEvent> post, Action<Exception> fault)
    {
        (_settings, _modes, _launcher, _time, _log, _post, _fault) = (settings, modes, launcher, time, log, post, fault);
        _agent = settings.Agent is { } agent ? new LocalAgent(agent, Path.Combine(directory, "agent.log"), launcher, time, log) : null;
        _worker = Task.Run(WorkAsync);
    }

    /// <summary>
    /// Returns at once. Ports are held before it returns, so that whoever asked for the start meets them so: nothing is in the queue
    /// then, a launch before it has ended and its own boot comes later.
    /// </summary>
    public void Perform(LocalInstanceEffect effect)
    {
        if (effect is LocalInstanceEffect.HoldPorts hold)
        {
            Hold(hold);
            return;
        }

        if (effect is LocalInstanceEffect.End)
        {
            _launch.Cancel();
        }

        Enqueue(() => effect switch
        {
            LocalInstanceEffect.Boot e => BootAsync(e),
            LocalInstanceEffect.Move e => MoveAsync(e),
            LocalInstanceEffect.End e => EndAsync(e),
            _ => Task.CompletedTask,
        });
    }

    /// <summary>Ends all processes and returns when they are gone.</summary>
    public async ValueTask DisposeAsync()
    {
        await _launch.CancelAsync();
        _work.Writer.TryComplete();
        await _worker;
        await EndProcessesAsync();
        _launch.Dispose();
        await (_agent?.DisposeAsync() ?? ValueTask.CompletedTask);
    }

    private void Enqueue(Func<Task> work) => _work.Writer.TryWrite(work);

    private async Task WorkAsync()
    {
        try
        {
            await foreach (var work in _work.Reader.ReadAllAsync())
            {
                await work();
            }
        }
        catch (Exception e)
        {
            _fault(e);
        }
    }

    private void Hold(LocalInstanceEffect.HoldPorts effect)
    {
        _ports?.Dispose();
        try
        {
            _ports = BootPorts.Hold(_modes().BootPort, _settings.EndPoints(effect.Place));
        }
        catch (SocketException e)
        {
            _log.Write(new(0, "boot_failed", Launch: LocalInstance.Name(effect.Launch), Detail: $"cannot hold the ports: {e.Message}"));
        }
    }

    private async Task BootAsync(LocalInstanceEffect.Boot effect)
    {
        _ports?.Dispose();
        _ports = null;
        Volatile.Write(ref _restart, (int)_modes().RestartOnce);
        _number = effect.Launch;
        _agent?.Start(effect.Launch);
        if (await StartSshdAsync(effect.Launch, effect.Place))
        {
            _log.Write(new(0, "booted", Launch: LocalInstance.Name(effect.Launch), Address: $"{_settings.Addresses[effect.Place]}"));
        }
    }

    private async Task MoveAsync(LocalInstanceEffect.Move effect)
    {
        await StopSshdAsync();
        _ = await StartSshdAsync(effect.Launch, effect.Place);
    }

    private async Task EndAsync(LocalInstanceEffect.End effect)
    {
        await EndProcessesAsync();
        _launch.Dispose();
        _launch = new();
        _post(new LocalInstanceEvent.Ended(Instant.Now(_time), effect.Launch));
    }

    private async Task EndProcessesAsync()
    {
        _ports?.Dispose();
        _ports = null;
        await Task.WhenAll(StopSshdAsync(), _agent?.StopAsync() ?? Task.CompletedTask);
    }

    private async Task StopSshdAsync()
    {
        var sshd = _sshd;
        _sshd = null;
        if (sshd is not null)
        {
            await sshd.StopAsync();
        }
    }

    private async Task<bool> StartSshdAsync(int launch, int place)
    {
        _place = place;
        var ct = _launch.Token;
        try
        {
            var sshd = await PrivateSshd.StartAsync(_settings.Sshd(place, line => OnLogLine(line, launch)), _launcher, _time, ct);
            _sshd = sshd;
            _ = sshd.Exited.ContinueWith(_ => Enqueue(() => OnSshdEndedAsync(sshd, launch)), TaskScheduler.Default);
            return true;
        }
        catch (PrivateSshdException e)
        {
            _log.Write(new(0, "boot_failed", Launch: LocalInstance.Name(launch), Detail: e.Message));
            return false;
        }
        catch (OperationCanceledException) when (ct.IsCancellationRequested)
        {
            return false;
        }
    }

    private void OnLogLine(string line, int launch)
    {
        var due = (RestartOnce)Volatile.Read(ref _restart) switch
        {
            RestartOnce.AfterBanner => line.Contains("]: Connection from ", StringComparison.Ordinal),
            RestartOnce.AfterLogin => line.Contains("]: Accepted ", StringComparison.Ordinal),
            _ => false,
        };
        if (due && Interlocked.Exchange(ref _restart, (int)RestartOnce.No) is var was && was != (int)RestartOnce.No)
        {
            Enqueue(() => RestartAsync(launch, was == (int)RestartOnce.AfterBanner ? BannerOnItsWay : TimeSpan.Zero));
        }
    }

    private async Task RestartAsync(int launch, TimeSpan wait)
    {
        if (_sshd is null || launch != _number || !await WaitAsync(wait))
        {
            return;
        }

        await StopSshdAsync();
        _log.Write(new(0, "sshd_ended", Launch: LocalInstance.Name(launch), Detail: "restarts once"));
        if (await WaitAsync(_modes().Restart))
        {
            _ = await StartSshdAsync(launch, _place);
        }
    }

    /// <summary>Killed by somebody: a VM's service manager brings it back, and its sessions end here as we cannot follow them.</summary>
    private async Task OnSshdEndedAsync(PrivateSshd sshd, int launch)
    {
        if (_sshd != sshd)
        {
            return;
        }

        await StopSshdAsync();
        _log.Write(new(0, "sshd_ended", Launch: LocalInstance.Name(launch), Detail: "by itself"));
        if (await WaitAsync(_modes().Restart))
        {
            _ = await StartSshdAsync(launch, _place);
        }
    }

    /// <returns>False when the launch was ended in the meantime.</returns>
    private async Task<bool> WaitAsync(TimeSpan delay)
    {
        var ct = _launch.Token;
        try
        {
            await Task.Delay(delay, _time, ct);
            return true;
        }
        catch (OperationCanceledException) when (ct.IsCancellationRequested)
        {
            return false;
        }
    }
}
