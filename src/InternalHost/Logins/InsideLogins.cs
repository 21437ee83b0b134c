using Common.Agent;
using Common.Alerts;
using Common.Journal;
using Common.Kernel;
using Common.Logins;
using Common.Logins.Policy;
using Common.Logins.Recording;
using Common.Logins.Spool;
using Common.Processes;
using InternalHost.Configuration;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace InternalHost.Logins;

/// <summary>The capture of logins to this host: its parts, put together.</summary>
internal sealed class InsideLogins
{
    private const string SystemdFolder = "/run/systemd/system";

    /// <summary>sshd's log is looked at so often; the hook and the journal call by themselves.</summary>
    private static readonly TimeSpan LookEvery = TimeSpan.FromSeconds(1);

    private readonly Func<string?> _trouble = () => null;

    /// <param name="wallTime">Wall time that may be shown to a person; null while the clock is not to be trusted.</param>
    public InsideLogins(
        LoginOptions options, Func<SiteOptions> site, Database database, Outbox outbox, Func<string, CancellationToken, Task<AgentReply?>> ask,
        Func<DateTimeOffset?> wallTime, string boot, IProcessLauncher launcher, ILoggerFactory logs, TimeProvider time)
    {
        var spool = options.Spool is { } named ? named == LoginOptions.None ? null : named
            : Directory.Exists(Path.Combine(LoginOptions.DefaultSpool, "new")) ? LoginOptions.DefaultSpool : null;
        Log = options.Log
            ?? (Directory.Exists(SystemdFolder) ? LoginOptions.Journal : File.Exists(LoginOptions.UsualLog) ? LoginOptions.UsualLog : LoginOptions.None);
        Hook = spool is not null;
        if (Log == LoginOptions.None && spool is null)
        {
            return;
        }

        var scene = new InsideScene(site, boot, Hook);
        var policy = new LoginPolicy(scene.Now, time);
        var recorder = new LoginRecorder(scene.Now, policy, time, new LoginWays(new KernelConnections()).Of) { WallTime = wallTime };
        ILogSource log = Log switch
        {
            LoginOptions.None => new NoLog(),
            LoginOptions.Journal => new JournalTail(launcher, JournalCursor.Load(database), null, time, Random.Shared.NextDouble),
            var file => new AuthLogTail(file, LogPosition.Load(database), isPrivate: false, time),
        };
        var hook = spool is null ? null : new HookSpool(spool, owner => owner == 0, time);
        var intake = new LoginIntake(
            log, hook, recorder, policy, new GapAlert(scene.Now, time), database, outbox, boot, time,
            logs.CreateLogger<LoginIntake>());
        var service = new LoginService(intake, null, time, logs.CreateLogger<LoginService>()) { LookEvery = LookEvery };
        _trouble = () => service.Trouble ?? hook?.Trouble;
        Services =
        [
            service,
            new TunnelLoginService(
                database, new BastionLogins(ask),
                (login, word) =>
                {
                    intake.Hear(login, word);
                    service.Wake();
                },
                boot, time),
        ];
    }

    /// <summary>journal, a path, or none.</summary>
    public string Log { get; }

    /// <summary>A login that the hook does not see is remarkable.</summary>
    public bool Hook { get; }

    /// <summary>Why logins cannot be seen now; null: they can, or nobody wants to.</summary>
    public string? Trouble => _trouble();

    public IReadOnlyList<IHostedService> Services { get; } = [];
}
