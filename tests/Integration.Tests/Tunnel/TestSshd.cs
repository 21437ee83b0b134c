using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using InternalHost.Configuration;
using InternalHost.Tunnel;
using Testing;

namespace Integration.Tests.Tunnel;

/// <summary>The system's real sshd as "the bastion": own address, keys, folder and block of loopback ports; lets in the user who runs the tests.</summary>
internal sealed class TestSshd : IAsyncDisposable
{
    public const string Alias = "bastion-test";

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);
    private static int _blocks = Random.Shared.Next(700);

    private readonly ConcurrentQueue<string> _log = new();
    private readonly string _extra;
    private Process? _sshd;

    private TestSshd(string folder, string extra) => (Folder, _extra) = (folder, extra);

    /// <summary>Short: Unix socket paths are.</summary>
    public string Folder { get; }

    public IPAddress Address { get; } = new([127, (byte)Random.Shared.Next(1, 250), (byte)Random.Shared.Next(1, 250), (byte)Random.Shared.Next(2, 250)]);

    public int Port { get; private set; }

    public int FirstForwardPort { get; } = FreeBlock();

    public string ClientKey => Path.Combine(Folder, "key");

    public IEnumerable<string> Log => _log;

    public BastionOptions Options => new(
        CloudKind.Static, [Port], Environment.UserName, ClientKey, [HostKey("host")], Alias, FirstForwardPort, FirstForwardPort + 14, null, null, null, TunnelProfile.Serving);

    public static async Task<TestSshd> StartAsync(string extra = "", string keyOptions = "")
    {
        if (Environment.UserName == "root")
        {
            Directory.CreateDirectory("/run/sshd");
        }

        var sshd = new TestSshd(Directory.CreateTempSubdirectory("bt").FullName, extra);
        foreach (var name in (string[])["host", "host2", "key", "key2"])
        {
            await RunAsync("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", Path.Combine(sshd.Folder, name));
        }

        sshd.Permit("key", keyOptions);
        sshd.Port = FreePort(sshd.Address);
        await sshd.ListenAsync();
        return sshd;
    }

    /// <summary>A public host key in the form in which it is pinned.</summary>
    public string HostKey(string name) => string.Join(' ', File.ReadAllText(Path.Combine(Folder, name + ".pub")).Split(' ').Take(2)).Trim();

    /// <summary>From now on only this key of the folder lets in.</summary>
    public void Permit(string key, string keyOptions = "") =>
        File.WriteAllText(Path.Combine(Folder, "authorized_keys"), $"{keyOptions}{(keyOptions.Length > 0 ? " " : "")}{File.ReadAllText(Path.Combine(Folder, key + ".pub"))}");

    public async Task ListenAsync(string hostKey = "host")
    {
        var config = Path.Combine(Folder, "sshd_config");
        await File.WriteAllTextAsync(config, $"""
            Port {Port}
            ListenAddress {Address}
            HostKey {Folder}/{hostKey}
            AuthorizedKeysFile {Folder}/authorized_keys
            PidFile none
            UsePAM {(RootIsLocked() ? "yes" : "no")}
            StrictModes no
            AllowTcpForwarding yes
            PermitRootLogin prohibit-password
            LogLevel VERBOSE
            {_extra}

            """);
        var listening = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _sshd = new Process { StartInfo = new ProcessStartInfo(Needs.Find("sshd")!, ["-D", "-e", "-f", config]) { UseShellExecute = false, RedirectStandardError = true } };
        _sshd.ErrorDataReceived += (_, line) =>
        {
            _log.Enqueue(line.Data ?? "");
            if (line.Data?.StartsWith("Server listening on", StringComparison.Ordinal) == true)
            {
                listening.TrySetResult();
            }
        };
        _sshd.Start();
        _sshd.BeginErrorReadLine();
        await Task.WhenAny(listening.Task, _sshd.WaitForExitAsync()).WaitAsync(Patience);
        Assert.False(_sshd.HasExited, string.Join('\n', _log));
    }

    /// <summary>Pids of the processes of the connections there are.</summary>
    public IReadOnlyList<int> Sessions() => _sshd is { HasExited: false } sshd ? Descendants(sshd.Id) : [];

    /// <summary>Ends the connections, and with <paramref name="listener"/> also who would take new ones.</summary>
    public void Kill(bool listener)
    {
        var sessions = Sessions();
        if (listener && _sshd is { HasExited: false } sshd)
        {
            sshd.Kill();
        }

        foreach (var pid in sessions)
        {
            Signal(pid, "KILL");
        }

        if (listener)
        {
            // Also waits for the end of the log, which the sessions held open.
            _sshd?.WaitForExit();
        }
    }

    public async ValueTask DisposeAsync()
    {
        Kill(listener: true);
        _sshd?.Dispose();
        await Task.Yield();
        Directory.Delete(Folder, recursive: true);
    }

    public static int FreePort(IPAddress address)
    {
        using var socket = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(address, 0));
        return ((IPEndPoint)socket.LocalEndPoint!).Port;
    }

    public static void Signal(int pid, string signal)
    {
        using var kill = Process.Start(new ProcessStartInfo("kill", [$"-{signal}", $"{pid}"]) { UseShellExecute = false, RedirectStandardError = true });
        kill!.WaitForExit();
    }

    public static async Task RunAsync(string program, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { UseShellExecute = false });
        await process!.WaitForExitAsync().WaitAsync(Patience);
        Assert.Equal(0, process.ExitCode);
    }

    /// <summary>Sixteen free ports of 127.0.0.1, below the range from which the kernel takes ports for others.</summary>
    private static int FreeBlock()
    {
        while (true)
        {
            var first = 20_000 + (Interlocked.Increment(ref _blocks) % 750 * 16);
            if (Enumerable.Range(first, 16).All(IsFree))
            {
                return first;
            }
        }
    }

    private static bool IsFree(int port)
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            socket.Bind(new IPEndPoint(IPAddress.Loopback, port));
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }

    /// <summary>sshd refuses a locked account, unless PAM decides about it.</summary>
    private static bool RootIsLocked() =>
        Environment.UserName == "root" && File.ReadLines("/etc/shadow").Any(line => line.StartsWith("root:!", StringComparison.Ordinal));

    private static List<int> Descendants(int parent)
    {
        var children = File.ReadAllText($"/proc/{parent}/task/{parent}/children").Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(int.Parse).ToList();
        return [.. children, .. children.SelectMany(child => File.Exists($"/proc/{child}/task/{child}/children") ? Descendants(child) : [])];
    }
}
