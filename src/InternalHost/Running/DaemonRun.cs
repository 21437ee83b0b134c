using Common.Hosting;
using InternalHost.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace InternalHost.Running;

/// <summary><c>internalhost run</c>: one daemon on one state directory, from start to the exit code.</summary>
internal static class DaemonRun
{
    public static async Task<int> RunAsync(SiteReading reading, string configFile, CancellationToken ct)
    {
        var site = reading.OptionsOrThrow();
        StateLock? held = null;
        DaemonHost? daemon = null;
        try
        {
            return await DaemonRunner.RunAsync(
                () =>
                {
                    held = StateLock.Take(site.StateDirectory);
                    Directory.CreateDirectory(site.RuntimeDirectory, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute | UnixFileMode.GroupRead | UnixFileMode.GroupExecute);
                    var builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings { ApplicationName = "internalhost" });
                    builder.Logging.AddDaemonConsole();
                    builder.Services.Configure<HostOptions>(o => o.ShutdownTimeout = TimeSpan.FromSeconds(20));
                    var logs = LoggerFactory.Create(l => l.AddDaemonConsole());
                    builder.Services.AddSingleton(logs);
                    daemon = new DaemonHost(reading, configFile, builder.Services, logs, TimeProvider.System);
                    return builder.Build();
                },
                new DaemonManners("internalhost")
                {
                    Healthy = () => daemon?.Healthy() ?? true,
                    ReloadAsync = _ => Task.FromResult(daemon?.Reload()),
                },
                ct);
        }
        finally
        {
            if (daemon is not null)
            {
                await daemon.DisposeAsync();
            }

            held?.Dispose();
        }
    }
}
