using System.Runtime.InteropServices;
using Common.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Common.Hosting;

/// <summary>What a daemon wants besides running.</summary>
/// <param name="Name">First word of what is printed when it cannot start.</param>
public sealed record DaemonManners(string Name)
{
    /// <summary>Asked before every watchdog message: false lets the service manager end and restart us. A bare timer would prove nothing.</summary>
    public Func<bool> Healthy { get; init; } = () => true;

    /// <summary>On SIGHUP; null: the signal is ignored.</summary>
    public Func<CancellationToken, Task>? ReloadAsync { get; init; }

    /// <summary>Asked at a good end: true builds and runs it anew, as the same service.</summary>
    public Func<bool> Renew { get; init; } = () => false;

    public TextWriter Errors { get; init; } = Console.Error;

    public TimeProvider Time { get; init; } = TimeProvider.System;

    public SdNotify? Notify { get; init; }
}

/// <summary>
/// Runs a host the way a service manager expects: readiness, watchdog, graceful end on SIGTERM and SIGINT, and exit codes that tell the
/// truth. A faulted background service stops the .NET host and yet the process would exit 0, and never be restarted.
/// </summary>
public static class DaemonRunner
{
    public static async Task<int> RunAsync(Func<IHost> build, DaemonManners manners, CancellationToken ct = default)
    {
        using var own = manners.Notify is null ? SdNotify.FromEnvironment(manners.Time) : null;
        try
        {
            while (true)
            {
                using var host = build();
                var run = new Run(host, manners, manners.Notify ?? own!);
                var code = await run.ToEndAsync(ct);
                if (code != ExitCode.Good || ct.IsCancellationRequested || !run.Renews)
                {
                    return code;
                }
            }
        }
        catch (Exception e)
        {
            return Explain(e, manners);
        }
    }

    /// <summary>One clear line (for a configuration, one for each mistake) and the exit code.</summary>
    private static int Explain(Exception e, DaemonManners manners)
    {
        switch (e)
        {
            case ConfigurationException configuration:
                configuration.Errors.ToList().ForEach(error => manners.Errors.WriteLine(error.ToLine()));
                return ExitCode.BadInput;
            case StartRefusedException refused:
                manners.Errors.WriteLine($"{manners.Name}: {refused.Message}");
                return refused.ExitCode;
            default:
                manners.Errors.WriteLine($"{manners.Name}: ended by a fault: {Short(e)}");
                return ExitCode.Fault;
        }
    }

    private static string Short(Exception e)
    {
        var root = e.GetBaseException();
        var at = root.StackTrace?.Split('\n', 2)[0].Trim();
        return $"{root.GetType().Name}: {root.Message.ReplaceLineEndings(" ")}{(at is null ? "" : $" ({at})")}";
    }

    private sealed class Run(IHost host, DaemonManners manners, SdNotify notify)
    {
        private readonly IHostApplicationLifetime _lifetime = host.Services.GetRequiredService<IHostApplicationLifetime>();

        // Taken before the end, after which the container is gone.
        private readonly BackgroundService[] _services = [.. host.Services.GetServices<IHostedService>().OfType<BackgroundService>()];

        /// <summary>Whoever tells us to stop means it, also while we renew ourselves.</summary>
        private volatile bool _told;

        public bool Renews => !_told && manners.Renew();

        public async Task<int> ToEndAsync(CancellationToken ct)
        {
            using var stop = CancellationTokenSource.CreateLinkedTokenSource(ct, _lifetime.ApplicationStopping);
            using var term = PosixSignalRegistration.Create(PosixSignal.SIGTERM, signal => Stop(signal, stop));
            using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, signal => Stop(signal, stop));
            var hangups = new HangupLoop(manners, notify);
            using var hangup = PosixSignalRegistration.Create(PosixSignal.SIGHUP, hangups.Raise);
            if (!await StartAsync(stop.Token))
            {
                return ExitCode.Good;
            }

            notify.Ready("running");
            var fault = await UntilStoppedAsync(stop, PingAsync(stop.Token), hangups.RunAsync(stop.Token));
            if (fault is not null || !Renews)
            {
                notify.Stopping();
            }

            var code = await StopHostAsync();
            return fault is null ? code : Explain(fault, manners);
        }

        /// <summary>Waits for the end; a fault of our own chores is an end too.</summary>
        private static async Task<Exception?> UntilStoppedAsync(CancellationTokenSource stop, params Task[] chores)
        {
            try
            {
                await Task.WhenAll(chores.Select(c => StopOnFaultAsync(c, stop)).Append(Stopped(stop.Token)));
                return null;
            }
            catch (Exception e)
            {
                return e;
            }
        }

        private static async Task StopOnFaultAsync(Task chore, CancellationTokenSource stop)
        {
            try
            {
                await chore;
            }
            catch
            {
                await stop.CancelAsync();
                throw;
            }
        }

        /// <summary>False when it was told to stop before it had started.</summary>
        private async Task<bool> StartAsync(CancellationToken stop)
        {
            try
            {
                await host.StartAsync(stop);
                return true;
            }
            catch (OperationCanceledException) when (stop.IsCancellationRequested)
            {
                return Faulted() is { } fault ? throw fault : false;
            }
        }

        private async Task<int> StopHostAsync()
        {
            try
            {
                await host.StopAsync(CancellationToken.None);
            }
            catch (Exception e) when (Faulted() is null)
            {
                return Explain(e, manners);
            }
            catch (AggregateException)
            {
                // The same fault that is told below.
            }

            return Faulted() is { } fault ? Explain(fault, manners) : ExitCode.Good;
        }

        private AggregateException? Faulted() => _services.Select(s => s.ExecuteTask?.Exception).FirstOrDefault(e => e is not null);

        private async Task PingAsync(CancellationToken stop)
        {
            while (notify.WatchdogInterval is { } interval && !stop.IsCancellationRequested)
            {
                if (manners.Healthy())
                {
                    notify.Watchdog();
                }

                await Task.Delay(interval, manners.Time, stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }

        private static async Task Stopped(CancellationToken stop) =>
            await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);

        private void Stop(PosixSignalContext signal, CancellationTokenSource stop)
        {
            _told = true;
            signal.Cancel = true;
            stop.Cancel();
        }
    }
}
