using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using Common.Logins;
using Common.Processes;

namespace Lab.World;

/// <summary>
/// An sshd with the distribution's own PAM files and our hook in them, with accounts and a syslog of its own (lab/pam-host.sh): real logins of every
/// kind, and nothing of this machine is changed. Needs root.
/// </summary>
public sealed class PamHost : IAsyncDisposable
{
    private const int Port = 49022;
    private const int ClassicTime = 15;   // "Nov 21 17:47:48"
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(50);

    /// <summary>Several hosts side by side have the same uids: the hook must see the processes of its own host only.</summary>
    private static readonly string[] OwnPids = ["--pid", "--fork", "--mount-proc", "--kill-child"];

    private readonly string _folder;
    private readonly IProcessLauncher _launcher;
    private readonly CancellationTokenSource _ended = new();
    private readonly Socket _syslog = new(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified);
    private IChildProcess? _sshd;
    private Task _logging = Task.CompletedTask;
    private string _said = "";
    private PamHost(string folder, IProcessLauncher launcher) => (_folder, _launcher) = (folder, launcher);

    public IPEndPoint Server { get; private init; } = new(new IPAddress([127, (byte)RandomNumberGenerator.GetInt32(64, 128), (byte)RandomNumberGenerator.GetInt32(256), (byte)RandomNumberGenerator.GetInt32(1, 255)]), Port);

    public string LogFile => Path.Combine(_folder, "auth.log");

    /// <summary>The private key that <see cref="SshOptions"/> name.</summary>
    public string Key => Path.Combine(_folder, "key");

    /// <summary>In known_hosts form, without the host field.</summary>
    public string HostKey => string.Join(' ', File.ReadAllText(Path.Combine(_folder, "host.pub")).Split(' ').Take(2)).Trim();

    public string Hook => Path.Combine(_folder, "hook");

    /// <summary>alice, bob, force, env, two, gone (no shell), site-home, site-other and site-home-bulk let this key in; cert a certificate of ca.</summary>
    public IReadOnlyList<string> SshOptions =>
    [
        "-F", "none", "-i", Key, "-o", $"Port={Server.Port}", "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null",
        "-o", "LogLevel=ERROR", "-o", "BatchMode=yes", "-o", "IdentitiesOnly=yes", "-o", "IdentityAgent=none", "-o", "ExitOnForwardFailure=yes",
    ];

    /// <param name="folder">An empty one; a short path, because sockets lie in it.</param>
    /// <param name="server">Where sshd listens, of another network namespace; null: somewhere on the loopback.</param>
    public static async Task<PamHost> StartAsync(string folder, IProcessLauncher launcher, CancellationToken ct, IPEndPoint? server = null)
    {
        var host = server is null ? new PamHost(folder, launcher) : new PamHost(folder, launcher) { Server = server };
        try
        {
            await host.PrepareAsync(ct);
            return host;
        }
        catch
        {
            await host.DisposeAsync();
            throw;
        }
    }

    /// <summary>Runs a program in the host's mount and pid namespaces, as root.</summary>
    public Task<ProcessResult> InsideAsync(CancellationToken ct, params string[] command) =>
        _launcher.RunAsync(new ProcessSpec("nsenter", [$"--mount=/proc/{_sshd!.Pid}/ns/mnt", $"--pid=/proc/{_sshd.Pid}/ns/pid_for_children", .. command]), ct);

    public async ValueTask DisposeAsync()
    {
        if (_sshd is { } sshd)
        {
            // unshare(1) takes no SIGTERM; with it goes the first process of its namespace, and so every other one there.
            await sshd.StopAsync(TimeSpan.Zero);
            await sshd.DisposeAsync();
        }

        await _ended.CancelAsync();
        await _logging;
        _syslog.Dispose();
        _ended.Dispose();
    }

    private async Task PrepareAsync(CancellationToken ct)
    {
        const UnixFileMode Searchable = (UnixFileMode)0b111_101_101;
        File.SetUnixFileMode(_folder, Searchable);
        foreach (var key in (string[])["host", "ca", "key", "cert-key"])
        {
            await KeygenAsync("-q", "-t", "ed25519", "-N", "", "-C", "", "-f", Path.Combine(_folder, key));
        }

        await KeygenAsync("-q", "-s", Path.Combine(_folder, "ca"), "-I", "laptop (serial 9) CA x", "-z", "77", "-n", "cert", Path.Combine(_folder, "cert-key.pub"));
        Directory.CreateDirectory(Path.Combine(_folder, "keys"));
        foreach (var account in (string[])["alice", "bob", "force", "env", "two", "gone", "site-home", "site-other", "site-home-bulk"])
        {
            File.Copy(Path.Combine(_folder, "key.pub"), Path.Combine(_folder, "keys", account));
        }

        PutHook();
        _syslog.Bind(new UnixDomainSocketEndPoint(Path.Combine(_folder, "log.sock")));
        _logging = LogAsync();
        _sshd = _launcher.Start(
            new ProcessSpec("unshare", ["--mount", "--propagation", "private", .. OwnPids, "sh", Path.Combine(Repository.Root, "lab/pam-host.sh"), _folder, Repository.Root, $"{Server.Address}", $"{Server.Port}"]),
            (_, line) => _said += line + "\n");
        for (var began = Stopwatch.GetTimestamp(); !(await File.ReadAllTextAsync(LogFile, ct)).Contains("Server listening", StringComparison.Ordinal);)
        {
            if (_sshd.Exited.IsCompleted || Stopwatch.GetElapsedTime(began) > Patience)
            {
                throw new InvalidOperationException($"sshd did not start:\n{_said}{await File.ReadAllTextAsync(LogFile, ct)}");
            }

            await Task.Delay(Look, TimeProvider.System, ct);
        }

        async Task KeygenAsync(params string[] arguments)
        {
            if (await _launcher.RunAsync(new ProcessSpec("ssh-keygen", arguments), ct) is { Ok: false } failed)
            {
                throw new InvalidOperationException($"ssh-keygen failed: {failed.Error}");
            }
        }
    }

    /// <summary>This machine's own files, with the line as an installation puts it.</summary>
    private void PutHook()
    {
        var hook = new PamHook(Hook, "# bastion");
        Directory.CreateDirectory(Path.Combine(_folder, "pam.d"));
        foreach (var service in PamHook.Services.Where(s => File.Exists($"/etc/pam.d/{s}")))
        {
            File.WriteAllText(Path.Combine(_folder, "pam.d", service), hook.Put(File.ReadAllText($"/etc/pam.d/{service}"), service));
        }
    }

    /// <summary>What syslog gets (<c>&lt;38&gt;Nov 21 17:47:48 sshd[10085]: ...</c>) as rsyslog writes it, with the host's name.</summary>
    private async Task LogAsync()
    {
        await using var log = new StreamWriter(LogFile) { AutoFlush = true };
        var buffer = new byte[16 * 1024];
        try
        {
            while (true)
            {
                var length = await _syslog.ReceiveAsync(buffer, SocketFlags.None, _ended.Token);
                var text = Encoding.UTF8.GetString(buffer, 0, length);
                text = text[(text.IndexOf('>') + 1)..].TrimEnd('\n', '\0');
                await log.WriteAsync($"{text[..ClassicTime]} host{text[ClassicTime..]}\n");
            }
        }
        catch (OperationCanceledException)
        {
            // the host ends
        }
    }
}
