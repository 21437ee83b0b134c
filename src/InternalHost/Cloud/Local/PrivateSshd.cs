using System.Collections.Immutable;
using System.Net;
using System.Security.Cryptography;
using System.Text;
using Common.Processes;

namespace InternalHost.Cloud.Local;

/// <summary>
/// A real sshd of this machine with its own configuration, keys and folder, on loopback addresses only, as root or as an ordinary user.
/// It is the cloud VM's sshd of provider <c>local</c>, and the home's own in demo and tests. Starting it takes no port, file or
/// service of the system's sshd. Stopping it ends every session with it, as a machine does that is switched off.
/// </summary>
internal sealed class PrivateSshd : IAsyncDisposable
{
    private const string MarkVariable = "BASTION_PRIVATE_SSHD";
    private static readonly TimeSpan StartTimeout = TimeSpan.FromSeconds(10);

    private readonly IChildProcess _child;
    private readonly SyslogFile _log;
    private readonly PrivilegeSeparationFolder? _privsep;
    private readonly string _mark;
    private readonly ImmutableArray<IPEndPoint> _listen;
    private readonly TimeProvider _time;
    private readonly Lazy<Task> _stop;

    private PrivateSshd(
        IChildProcess child, SyslogFile log, PrivilegeSeparationFolder? privsep, PrivateSshdOptions options, PublicKey hostKey, TimeProvider time)
    {
        (_child, _log, _privsep, _mark, _listen, HostKey, _time) = (child, log, privsep, Mark(options), options.Listen, hostKey, time);
        _stop = new(EndAsync);
    }

    public PublicKey HostKey { get; }

    /// <summary>The listener's.</summary>
    public int Pid => _child.Pid;

    /// <summary>Completes when the listener has ended, by us or by itself.</summary>
    public Task<ProcessExit> Exited => _child.Exited;

    /// <summary>Returns when it listens on all its addresses.</summary>
    /// <exception cref="PrivateSshdException">It does not; the message has sshd's own words.</exception>
    public static async Task<PrivateSshd> StartAsync(
        PrivateSshdOptions options, IProcessLauncher launcher, TimeProvider time, CancellationToken ct)
    {
        options.Check();
        var program = SshdProgram.Find();
        var hostKey = await PrepareAsync(options, program, launcher, ct);
        var privsep = Environment.IsPrivilegedProcess ? PrivilegeSeparationFolder.Claim() : null;
        var log = new SyslogFile(options.LogFile, options.Label, time, options.OnLogLine);
        var start = new SshdStart(options.Listen.Length, log);
        try
        {
            var child = launcher.Start(
                new ProcessSpec(program.Path, ["-D", "-e", "-f", ConfigFile(options)]) { Environment = program.ChildEnvironment }, start.OnLine);
            var sshd = new PrivateSshd(child, log, privsep, options, hostKey, time);
            await sshd.WaitUntilListeningAsync(start, ct);
            return sshd;
        }
        catch (ProcessStartException e)
        {
            log.Dispose();
            privsep?.Dispose();
            throw new PrivateSshdException(e.Message, e);
        }
    }

    /// <summary>Makes or reads the host key without starting anything, so that it can be pinned before the first start.</summary>
    public static Task<PublicKey> HostKeyAsync(PrivateSshdOptions options, IProcessLauncher launcher, CancellationToken ct)
    {
        MakeFolder(options.Folder);
        return SshKeygen.EnsurePairAsync(options.HostKeyFile, launcher, ct);
    }

    /// <summary>Ends sessions that an earlier run left, killed before it could: they are known by the folder's mark and by the addresses.</summary>
    public static Task EndLeftSessionsAsync(PrivateSshdOptions options, TimeProvider time) =>
        ProcessTree.KillSessionsAsync(null, Mark(options), options.Listen, time);

    /// <summary>Ends the listener and every session of it, with all that they started. Safe to call twice.</summary>
    public Task StopAsync() => _stop.Value;

    public async ValueTask DisposeAsync() => await StopAsync();

    private static async Task<PublicKey> PrepareAsync(
        PrivateSshdOptions options, SshdProgram program, IProcessLauncher launcher, CancellationToken ct)
    {
        var hostKey = await HostKeyAsync(options, launcher, ct);
        var keys = Path.Combine(options.Folder, "authorized_keys");
        var facts = new PrivateSshdFacts(
            await program.VersionAsync(launcher, ct), options.HostKeyFile, keys, Environment.UserName, RootIsLocked(),
            program.Helper("sshd-session"), program.Helper("sshd-auth"));
        ImmutableArray<string> extra = [$"SetEnv {Mark(options)}", .. options.ExtraConfiguration];
        await File.WriteAllTextAsync(keys, string.Concat(options.AuthorizedKeys.Select(k => k + "\n")), ct);
        await File.WriteAllTextAsync(
            ConfigFile(options), PrivateSshdConfig.Render(facts, options.Listen, options.AuthorizedKeys, extra), ct);
        return hostKey;
    }

    /// <summary>In the environment of all that a session starts (SetEnv); the same for each run in this folder.</summary>
    private static string Mark(PrivateSshdOptions options) =>
        $"{MarkVariable}={Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(options.Folder)).AsSpan(0, 16))}";

    private static string ConfigFile(PrivateSshdOptions options) => Path.Combine(options.Folder, "sshd_config");

    private static void MakeFolder(string folder) =>
        Directory.CreateDirectory(folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);

    /// <summary>sshd refuses an account whose password begins with <c>!</c> unless PAM decides (and PAM needs the service's file).</summary>
    private static bool RootIsLocked() =>
        Environment.IsPrivilegedProcess && File.Exists("/etc/pam.d/sshd") && File.Exists("/etc/shadow")
        && File.ReadLines("/etc/shadow").Any(l => l.StartsWith("root:!", StringComparison.Ordinal));

    private async Task WaitUntilListeningAsync(SshdStart start, CancellationToken ct)
    {
        try
        {
            start.PidKnown(Pid);
            _ = await Task.WhenAny(start.Decided, Exited).WaitAsync(StartTimeout, _time, ct);
        }
        catch (Exception e) when (e is TimeoutException or OperationCanceledException)
        {
            await StopAsync();
            ct.ThrowIfCancellationRequested();
            throw new PrivateSshdException($"sshd does not listen after {StartTimeout.TotalSeconds} s; it said: {start.Said}", e);
        }

        if (!start.Listens)
        {
            await StopAsync();
            throw new PrivateSshdException($"sshd does not start; it said: {start.Said}");
        }
    }

    private async Task EndAsync()
    {
        await ProcessTree.KillSessionsAsync(Exited.IsCompleted ? null : Pid, _mark, _listen, _time);
        var stopping = _child.StopAsync();
        if (!Exited.IsCompleted)
        {
            // It is held still by SIGSTOP and would not see SIGTERM; nor may it take one more connection.
            ProcessTree.Kill(Pid);
        }

        await stopping;
        await _child.DisposeAsync();
        _log.Append("sshd", Pid, "Listener and sessions ended.");
        _log.Dispose();
        _privsep?.Dispose();
    }
}
