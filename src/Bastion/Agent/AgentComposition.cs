using System.Collections.Immutable;
using Bastion.Configuration;
using Bastion.DeadMan;
using Bastion.Logins;
using Common.Logins;
using Common.Logins.Recording;
using Common.Logins.Policy;
using Common.Logins.Spool;
using Bastion.Sessions;
using Bastion.People;
using Bastion.Watch;
using Common.Alerts;
using Common.Alerts.Settings;
using Common.Alerts.Sms;
using Common.Alerts.Test;
using Common.Processes;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Common.Kernel;

namespace Bastion.Agent;

/// <summary>Puts the agent together.</summary>
internal static class AgentComposition
{
    /// <param name="state">Disposed by its owner, after the host.</param>
    public static IServiceCollection AddAgent(this IServiceCollection services, AgentOptions options, AgentState state)
    {
        var boot = Machine.Boot;
        services.AddSingleton(TimeProvider.System);
        services.AddSingleton(options);
        services.AddSingleton(state.Database);
        var scene = Scene(options, boot);
        services.AddSingleton<Func<LoginScene>>(() => scene);
        services.AddSingleton<IProcessLauncher, SystemProcessLauncher>();
        services.AddSingleton<LoginPolicy>();
        services.AddSingleton(p => new LoginRecorder(() => scene, p.GetRequiredService<LoginPolicy>(), p.GetRequiredService<TimeProvider>()));
        services.AddSingleton<GapAlert>();
        services.AddSingleton<Outbox>();
        services.AddSingleton(Source);
        services.AddSingleton(p => new LoginIntake(
            p.GetRequiredService<ILogSource>(), Spool(options, p.GetRequiredService<TimeProvider>()), p.GetRequiredService<LoginRecorder>(), p.GetRequiredService<LoginPolicy>(), p.GetRequiredService<GapAlert>(),
            state.Database, p.GetRequiredService<Outbox>(), boot, p.GetRequiredService<TimeProvider>(), p.GetRequiredService<ILogger<LoginIntake>>()));
        services.AddSingleton(p => new SessionBook(state.Database, new KernelConnections(), options.SshdPorts, boot, p.GetRequiredService<TimeProvider>()));
        services.AddSingleton(p => new AptWatch(p.GetRequiredService<TimeProvider>()));
        services.AddSingleton(new Door(options.Door, options.Identities));
        services.AddSingleton<PresentSessions>();
        services.AddSingleton(p => new AgentAnswers(
            p.GetRequiredService<PresentSessions>(), new LoginEvents(state.Database, boot, p.GetRequiredService<TimeProvider>()), new AskingSite(new KernelConnections()), p.GetRequiredService<DrainService>(), p.GetRequiredService<AptWatch>(), p.GetRequiredService<OutboxService>(),
            new ChannelTests(p.GetRequiredService<Outbox>(), p.GetRequiredService<OutboxService>(), $"{options.Site} bastion", () => options.Routes, p.GetRequiredService<TimeProvider>()),
            p.GetService<DeadManService>(), state.Database, boot, Machine.Version, p.GetRequiredService<TimeProvider>()));

        // Stopped in the opposite order: no more questions, the door, the last of the log, and then what is still to be delivered.
        services.AddService(p => new OutboxService(
            p.GetRequiredService<Outbox>(), Channels(options, p), p.GetRequiredService<TimeProvider>(), p.GetRequiredService<ILogger<OutboxService>>())
        {
            Site = $"{options.Site} bastion",
            Hold = alert => options.AwaitsChannels ? NoChannelYet.Hold : options.Channels.Quiet?.Hold(alert, TimeZoneInfo.ConvertTime(p.GetRequiredService<TimeProvider>().GetUtcNow(), options.Zone)) ?? TimeSpan.Zero,
        });
        services.AddService(p => ActivatorUtilities.CreateInstance<LoginService>(p));
        services.AddService(p => ActivatorUtilities.CreateInstance<DrainService>(p));
        if (options.DeadMan is { } deadMan)
        {
            services.AddService(p => DeadManComposition.Create(deadMan, options, p));
        }

        if (!options.Private)
        {
            services.AddService(p => new ReachedService(options, state.Database, boot, p.GetRequiredService<TimeProvider>(), p.GetRequiredService<ILogger<ReachedService>>()));
            services.AddService(p => new WatchService(
                (options.Site, options.Vm, boot), new HostLook(new ConfigurationBaseline(), options.StateDirectory).Read,
                alert => p.GetRequiredService<Outbox>().Raise(alert, scene.Routes), p.GetRequiredService<TimeProvider>(),
                p.GetRequiredService<ILogger<WatchService>>()));
        }

        services.AddService(p => new AgentServer(
            options.AgentPort, p.GetRequiredService<AgentAnswers>().AnswerAsync, p.GetRequiredService<TimeProvider>(), p.GetRequiredService<ILogger<AgentServer>>()));
        return services;
    }

    /// <summary>A hosted service that others may ask for by its type.</summary>
    private static void AddService<T>(this IServiceCollection services, Func<IServiceProvider, T> make)
        where T : class, IHostedService
    {
        services.AddSingleton(make);
        services.AddSingleton<IHostedService>(p => p.GetRequiredService<T>());
    }

    private static LoginScene Scene(AgentOptions options, string boot) => new(
        options.Site, options.Vm, options.Identities, options.Private ? Environment.UserName : null, boot,
        options.Routes)
    {
        Allow = options.Allow,
        AudienceOf = (user, fingerprint) => AgentSites.AudienceOf(options, user, fingerprint),
        HookExpected = options.Spool is not null,
    };

    private static HookSpool? Spool(AgentOptions options, TimeProvider time) => options.Spool is { } folder
        ? new HookSpool(folder, options.Private ? owner => owner == 0 || owner == OwnUser.Uid : owner => owner == 0, time)
        : null;

    private static ILogSource Source(IServiceProvider services)
    {
        var (options, time) = (services.GetRequiredService<AgentOptions>(), services.GetRequiredService<TimeProvider>());
        var database = services.GetRequiredService<Common.Journal.Database>();
        return options.LogFile is { } file
            ? new AuthLogTail(file, LogPosition.Load(database), options.Private, time)
            : new JournalTail(
                services.GetRequiredService<IProcessLauncher>(), JournalCursor.Load(database), options.Private ? OwnUser.Uid : null, time, Random.Shared.NextDouble);
    }

    private static ImmutableArray<IMessageChannel> Channels(AgentOptions options, IServiceProvider services)
    {
        var time = services.GetRequiredService<TimeProvider>();
        if (options.AwaitsChannels)
        {
            return [new NoChannelYet()];
        }

        var sites = options.Sites.Length < 2 ? [] : options.Sites.SelectMany(s => Channels(s.Messages.Sms, s.Messages.Channels, time).Select(c => SiteChannel.Of(s.Label, c)));
        return [.. Channels(options.Sms, options.Channels, time), .. sites];
    }

    private static IEnumerable<IMessageChannel> Channels(SmsSettings? sms, ChannelSettings channels, TimeProvider time)
    {
        var others = channels.Make(ca => GatewayClient.Create(ca, time), time);
        if (sms is null)
        {
            return others;
        }

        var client = GatewayClient.Create(sms.CaFile, time);
        return others.Append(new TwilioSms(() => client, sms.Gateway, time));
    }
}
