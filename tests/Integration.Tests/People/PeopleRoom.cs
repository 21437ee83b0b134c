using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using Bastion.Host;
using Common.Processes;
using Common.Sync;
using Integration.Tests.Host;
using Lab;

namespace Integration.Tests.People;

/// <summary>
/// A bastion of two sites in a room of its own: installed by the program itself, with the distribution's sshd and PAM, both tunnels up. In place of
/// systemd a loop hands connections of the bundle socket to root's part.
/// </summary>
public sealed class PeopleRoom : IAsyncDisposable
{
    private const string Client = "-F none -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o BatchMode=yes -o IdentitiesOnly=yes -o IdentityAgent=none -o ConnectTimeout=30 -p 49022";
    private static readonly string[] KeyNames = ["home", "work", "owner", "phone", "laptop", "other"];

    private readonly List<IChildProcess> _children = [];
    private readonly CancellationTokenSource _ended = new();
    private Socket? _socket;
    private Task _serving = Task.CompletedTask;
    private long _number = 1_000;
    private int _connections;
    private bool _agent;

    internal HostRoom Room { get; private set; } = null!;

    /// <summary>Public keys, <c>type base64</c>.</summary>
    internal Dictionary<string, string> Keys { get; } = new(StringComparer.Ordinal);

    internal static async Task<PeopleRoom> OpenAsync()
    {
        var world = new PeopleRoom { Room = await HostRoom.OpenAsync() };
        try
        {
            await world.FurnishAsync();
            return world;
        }
        catch
        {
            await world.DisposeAsync();
            throw;
        }
    }

    /// <summary>Higher than any before.</summary>
    internal long NextNumber() => ++_number;

    /// <summary>ssh's words for a login by one of <see cref="Keys"/>.</summary>
    internal static string Ssh(string key, string account, string options = "") => $"ssh {Client} -i /root/keys/{key} {options} {account}@127.0.0.1";

    /// <summary>What a jump by this key to a port of the bastion's says: the first line of what listens there, or ssh's refusal.</summary>
    internal async Task<string> JumpAsync(string key, string account, int port)
    {
        var result = await Room.ShellAsync($"printf 'x\\n' | {Ssh(key, account, $"-W 127.0.0.1:{port}")}");
        return result.Output.Split('\n')[0] is { Length: > 0 } line ? line : result.Error;
    }

    /// <summary>The bundle, signed, as a file of the room's.</summary>
    internal async Task<string> SignedAsync(Bundle bundle, string by, string use = SignedBundle.Namespace)
    {
        var file = $"/root/bundle-{Guid.NewGuid():N}";
        await File.WriteAllBytesAsync(Room.Seen($"{file}.json"), JsonSerializer.SerializeToUtf8Bytes(bundle, BundleJson.Default.Bundle));
        await Room.DoAsync($"ssh-keygen -q -Y sign -f /root/keys/{by} -n {use} {file}.json; cat {file}.json.sig {file}.json > {file}");
        return file;
    }

    /// <summary>As a site does it: through sshd, the forced command and the socket.</summary>
    internal async Task<SyncReply> PushAsync(Bundle bundle)
    {
        var file = await SignedAsync(bundle, bundle.Site);
        return Read(await Room.ShellAsync($"{PeopleRoom.Ssh(bundle.Site, Accounts.Sync)} anything < {file}"));
    }

    /// <summary>By hand, as root.</summary>
    internal async Task<(SyncReply Reply, int? Exit)> ApplyAsync(string file)
    {
        var result = await Room.ShellAsync($"/usr/bin/bastion apply-bundle < {file}");
        return (Read(result), result.Exit.Code);
    }

    /// <summary>Everything that a bundle may change.</summary>
    internal Task<string> StateAsync() => Room.DoAsync(
        """
        cd /
        find etc/passwd etc/group etc/shadow etc/gshadow etc/bastion etc/ssh run/bastion-keys run/bastion-sites var/lib/bastion-bundles -type f ! -name '*-' ! -name .turn -exec sha256sum {} + | sort -k2
        find etc/bastion run/bastion-keys run/bastion-sites var/lib/bastion-bundles ! -name .turn -printf '%M %u %g %p\n' | sort
        """);

    internal IChildProcess Stay(string command)
    {
        var child = Room.Start(_ => { }, "sh", "-c", $"exec {command}");
        _children.Add(child);
        return child;
    }

    public async ValueTask DisposeAsync()
    {
        await _ended.CancelAsync();
        _socket?.Dispose();
        await _serving;
        foreach (var child in _children)
        {
            await child.StopAsync();
            await child.DisposeAsync();
        }

        await Room.DisposeAsync();
        _ended.Dispose();
    }

    /// <summary>With the settings that the installation has made; the log is a file that stays empty, so that it knows of logins by the hook alone.</summary>
    internal async Task StartAgentAsync()
    {
        if (!_agent)
        {
            _agent = true;
            await Room.DoAsync("mkdir -p /run/bastion; : > /var/log/bastion-room.log; sed 's#\"journal\"#\"/var/log/bastion-room.log\"#' /etc/bastion/agent.json > /root/agent.json");
            Stay("/usr/bin/bastion agent --config /root/agent.json");
            await Room.DoAsync("mkdir -p /run/bastion-reach");
            Stay($"sh {Path.Combine(Repository.Root, "infra/bastion/reach")} /run/bastion-reach");
        }
    }

    private async Task FurnishAsync()
    {
        // The checkout and the runtime may lie where only root can go: forced commands run as others.
        await Room.DoAsync(
            $$"""
            mkdir -p /usr/lib/bastion/program /usr/lib/bastion/dotnet /root/keys
            mount --bind {{AppContext.BaseDirectory}} /usr/lib/bastion/program
            mount --bind "$(dirname "$(readlink -f "$(command -v dotnet)")")" /usr/lib/bastion/dotnet
            printf '#!/bin/sh\nexec /usr/lib/bastion/dotnet/dotnet /usr/lib/bastion/program/bastion.dll "$@"\n' > /usr/bin/bastion
            printf '#!/bin/sh\nexit 0\n' > /usr/lib/bastion/hook
            chmod 755 /usr/bin/bastion /usr/lib/bastion/hook
            for key in {{string.Join(' ', KeyNames)}}; do ssh-keygen -q -t ed25519 -N '' -C '' -f /root/keys/$key; done
            [ -e /etc/ssh/ssh_host_ed25519_key ] || ssh-keygen -A
            rm -f /etc/ssh/sshd_config.d/*
            /usr/sbin/sshd
            bastion install --maintenance-key /root/keys/owner.pub --site home:22001 --site work:22101 --site-key home=/root/keys/home.pub --site-key work=/root/keys/work.pub
            """);
        foreach (var key in KeyNames)
        {
            Keys[key] = (await Room.DoAsync($"cat /root/keys/{key}.pub")).Trim();
        }

        await ListenAsync();
        // sshd itself stands in for what is behind the tunnels.
        Stay(Ssh("home", Accounts.Site("home"), "-N -R 127.0.0.1:22001:127.0.0.1:49022 -R 127.0.0.1:22002:127.0.0.1:49022"));
        Stay(Ssh("work", Accounts.Site("work"), "-N -R 127.0.0.1:22101:127.0.0.1:49022"));
        foreach (var port in (int[])[22002, 22101])
        {
            await Room.UntilAsync(async () => (await Room.ShellAsync($"ss -Hltn 'sport = :{port}' | grep -q .")).Ok, $"a tunnel listens on {port}");
        }
    }

    private async Task ListenAsync()
    {
        _socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        _socket.Bind(new UnixDomainSocketEndPoint(Room.Seen("/run/bastion-bundle.sock")));
        _socket.Listen();
        await Room.DoAsync("chown bastion-sync /run/bastion-bundle.sock; chmod 600 /run/bastion-bundle.sock");
        _serving = ServeAsync(_socket);
    }

    private async Task ServeAsync(Socket listener)
    {
        try
        {
            while (true)
            {
                using var connection = await listener.AcceptAsync(_ended.Token);
                await using var stream = new NetworkStream(connection);
                var file = $"/root/received-{++_connections}";
                await using (var received = File.Create(Room.Seen(file)))
                {
                    await stream.CopyToAsync(received, _ended.Token);
                }

                var result = await Room.ShellAsync($"/usr/bin/bastion apply-bundle < {file}");
                await stream.WriteAsync(Encoding.UTF8.GetBytes(result.Output + "\n"), _ended.Token);
            }
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            // the room closes
        }
    }

    private static SyncReply Read(ProcessResult result)
    {
        try
        {
            return JsonSerializer.Deserialize(result.Output, BundleJson.Default.SyncReply)!;
        }
        catch (JsonException e)
        {
            throw new InvalidOperationException($"no reply, exit {result.Exit}: {result.Output}\n{result.Error}", e);
        }
    }
}
