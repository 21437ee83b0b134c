using System.CommandLine;
using Bastion.Agent;
using Bastion.Configuration;
using Bastion.Logins;
using Bastion.People;
using Common.Alerts;
using Common.Configuration;
using Common.Logins;
using Common.Logins.Recording;
using Common.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Bastion.Cli;

/// <summary><c>bastion agent --config FILE</c>: the daemon.</summary>
internal static class AgentCommand
{
    /// <summary>The last alerts are delivered before the end, where the gateway answers.</summary>
    private static readonly TimeSpan ShutdownTimeout = TimeSpan.FromSeconds(20);

    public static Command Create()
    {
        var config = new Option<FileInfo>("--config")
        {
            Description = "The settings, JSON (or YAML); people and channels come with the sites' bundles. See: bastion check-config --help",
            Required = true,
            HelpName = "FILE",
        };
        var command = new Command("agent", "Reads sshd's log, tells of every login, and answers the inside on a loopback port.") { config };
        TeachingHelp.AddTo(
            command,
            """
            What it does with a login: every one is recorded. A known person or the maintenance key
            is told (high); an unknown key, a password or root is told as critical; a site's own
            tunnel is recorded and not told. A kill at any moment loses and doubles nothing.

            Ask it from this machine:
              printf '{"op":"sessions"}\n' | nc 127.0.0.1 49020     also: drain, undrain, health
            """);
        command.SetAction((result, ct) => RunAsync(result.GetRequiredValue(config).FullName, ct));
        return command;
    }

    private static async Task<int> RunAsync(string path, CancellationToken ct)
    {
        AgentState? state = null;
        LoginService? logins = null;
        AgentOptions? last = null;
        var renew = false;
        try
        {
            return await DaemonRunner.RunAsync(
                () =>
                {
                    renew = false;
                    var options = last = Load(path, last);
                    state ??= AgentState.Open(options.StateDirectory);
                    var host = Build(options, state, () => renew = true);
                    logins = host.Services.GetRequiredService<LoginService>();
                    return host;
                },
                new DaemonManners("bastion agent") { Healthy = () => logins is not { Lives: false }, Renew = () => renew },
                ct);
        }
        finally
        {
            state?.Dispose();
        }
    }

    /// <summary>A mistake that somebody has made in the file since the start is told, and ends nobody who runs.</summary>
    private static AgentOptions Load(string path, AgentOptions? last)
    {
        try
        {
            return AgentSettingsFile.Load(path);
        }
        catch (ConfigurationException e) when (last is not null)
        {
            e.Errors.ToList().ForEach(error => Console.Error.WriteLine(error.ToLine()));
            return last;
        }
    }

    /// <param name="renew">Once a bundle has changed.</param>
    private static IHost Build(AgentOptions options, AgentState state, Action renew)
    {
        var bundles = options.Bundles is { } folder ? new AgentBundles(folder, Path.Combine(Path.GetDirectoryName(options.Door.NologinPath)!, "secrets")) : null;
        var mark = bundles?.Mark() ?? "";   // before they are read: what comes in between is seen afterwards
        options = bundles?.Merge(options, Console.Error.WriteLine) ?? options;
        Outbox.Readdress(state.Database, options.Routes);

        var builder = Microsoft.Extensions.Hosting.Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings { DisableDefaults = true });
        builder.Logging.AddDaemonConsole().SetMinimumLevel(LogLevel.Information).AddFilter("Microsoft", LogLevel.Warning);
        builder.Services.Configure<HostOptions>(o => o.ShutdownTimeout = ShutdownTimeout);
        builder.Services.AddAgent(options, state);
        if (bundles is not null)
        {
            builder.Services.AddHostedService(p => ActivatorUtilities.CreateInstance<SitesFile>(p));
            builder.Services.AddHostedService(p => new BundleWatch(
                bundles, mark, () => End(renew, p), p.GetRequiredService<TimeProvider>(), p.GetRequiredService<ILogger<BundleWatch>>()));
        }

        return builder.Build();
    }

    private static void End(Action renew, IServiceProvider services)
    {
        renew();
        services.GetRequiredService<IHostApplicationLifetime>().StopApplication();
    }
}
