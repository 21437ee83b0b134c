using System.CommandLine;
using Bastion.Agent;
using Bastion.Configuration;
using Bastion.Logins;
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
            Description = "The settings, JSON (or YAML); the inside writes them at each start. See: bastion check-config --help",
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
        try
        {
            return await DaemonRunner.RunAsync(
                () =>
                {
                    var options = AgentSettingsFile.Load(path);
                    state = AgentState.Open(options.StateDirectory);
                    var host = Build(options, state);
                    logins = host.Services.GetRequiredService<LoginService>();
                    return host;
                },
                new DaemonManners("bastion agent") { Healthy = () => logins is not { Lives: false } },
                ct);
        }
        finally
        {
            state?.Dispose();
        }
    }

    private static IHost Build(AgentOptions options, AgentState state)
    {
        var builder = Microsoft.Extensions.Hosting.Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings { DisableDefaults = true });
        builder.Logging.AddDaemonConsole().SetMinimumLevel(LogLevel.Information).AddFilter("Microsoft", LogLevel.Warning);
        builder.Services.Configure<HostOptions>(o => o.ShutdownTimeout = ShutdownTimeout);
        builder.Services.AddAgent(options, state);
        return builder.Build();
    }
}
