using Bastion.Agent;
using Bastion.Configuration;
using Bastion.Logins;
using Common.Logins;
using Common.Logins.Recording;
using Bastion.Sessions;
using Common.Alerts;
using Common.Kernel;
using Common.Processes;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Bastion.DeadMan;

/// <summary>Puts the dead man together.</summary>
internal static class DeadManComposition
{
    public static DeadManService Create(DeadManOptions options, AgentOptions agent, IServiceProvider services)
    {
        var time = services.GetRequiredService<TimeProvider>();
        var (outbox, scene) = (services.GetRequiredService<Outbox>(), services.GetRequiredService<Func<LoginScene>>()());
        var senses = new DeadManSenses(
            new HostPresence(services.GetRequiredService<PresentSessions>().NowAsync, new KernelConnections(), new ConsoleLogins(), agent.SshdPorts).LookAsync,
            () => services.GetRequiredService<AptWatch>().Idle,
            () => services.GetRequiredService<OutboxService>().Snapshot.Pending,
            alert => outbox.Raise(alert, scene.Routes));
        IPowerSwitch power = options.Command is { } command
            ? new PowerCommand(services.GetRequiredService<IProcessLauncher>(), command)
            : new PowerRequestFile(options.RequestFile);
        var hold = new HoldFile(Path.Combine(Path.GetDirectoryName(agent.Door.NologinPath)!, "hold"));
        return new DeadManService(
            options, (scene.Site, scene.Boot), senses, services.GetRequiredService<DrainService>(), power, hold, time,
            services.GetRequiredService<ILogger<DeadManService>>());
    }
}
