using System.Collections.Immutable;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Common.Processes;
using Common.Time;
using InternalHost.Tunnel;

namespace InternalHost.Cloud.Making;

/// <summary><see cref="ISetupShell"/> by the system's ssh: the given host keys and no other, the given key and no other.</summary>
/// <param name="keyFile">The private maintenance key, or its .pub while an agent holds the other half.</param>
/// <param name="folder">For the files of one connection; 0700.</param>
internal sealed class SetupSsh(IProcessLauncher launcher, string keyFile, string folder, MakingPatience patience, TimeProvider time) : ISetupShell
{
    private const string Alias = "bastion-being-made";
    private const int ConnectTimeoutSeconds = 10;

    /// <summary>ssh's own status, whatever went wrong before the script ran or while it did.</summary>
    private const int SshFailed = 255;

    public async Task<string> RunAsync(SetupTarget target, string script, ReadOnlyMemory<byte> input, Action<string> onLine, CancellationToken ct)
    {
        var began = Instant.Now(time);
        while (true)
        {
            var last = "nobody answers";
            foreach (var (address, port, account) in Ways(target))
            {
                var (result, ran) = await OnceAsync(target, address, port, account, script, input, onLine, ct);
                if (ran)
                {
                    return result.Ok ? result.Output : throw new MakingException($"{account}@{address}: it ended with {result.Exit.Code}: {Last(result)}");
                }

                var failure = SshStderr.Classify(Lines(result.Error), result.Exit.Code, Phase(result));
                last = $"{account}@{Place(address, port)}: {failure.Detail}";
                if (failure.Reason == TunnelReason.HostKeyChanged)
                {
                    throw new MakingException($"{Place(address, port)} shows another host key than the machine's own: somebody is in between, or it was made anew. Nothing was sent. ({failure.Detail})");
                }

                if (failure.Reason == TunnelReason.NoSshClient)
                {
                    throw new MakingException($"ssh cannot be used: {failure.Detail}");
                }
            }

            if (Instant.Now(time) - began > patience.Longest)
            {
                throw new MakingException($"the machine does not let us in, for {patience.Longest.TotalMinutes:0.#} minutes; last: {last}");
            }

            await Task.Delay(patience.LookAgainAfter, time, ct);
        }
    }

    public async Task<string?> OfferedAsync(SetupTarget target, CancellationToken ct)
    {
        foreach (var (address, port, _) in Ways(target with { Accounts = ["nobody"] }))
        {
            var filed = Path.Combine(folder, "offered");
            File.Delete(filed);
            await RunAsync(new ProcessSpec("ssh", Words("accept-new", filed, ["-o", "PreferredAuthentications=none", "-o", "IdentityFile=none"], address, port, "nobody", "true")), _ => { }, ct);
            if (File.Exists(filed) && Lines(await File.ReadAllTextAsync(filed, ct)) is [var line, ..])
            {
                return string.Join(' ', line.Split(' ').Skip(1).Take(2));   // after the name it is filed under
            }
        }

        return null;
    }

    /// <returns>Whether the script ran; else why not is in the error text.</returns>
    private async Task<(ProcessResult Result, bool Ran)> OnceAsync(
        SetupTarget target, IPAddress address, int port, string account, string script, ReadOnlyMemory<byte> input, Action<string> onLine, CancellationToken ct)
    {
        var known = Path.Combine(folder, "known_hosts");
        await File.WriteAllTextAsync(known, string.Concat(target.HostKeys.Select(key => $"{Alias} {key}\n")), ct);
        var command = $"{(account == "root" ? "" : "sudo -n ")}sh -c {Quoted(script)}";
        var spec = new ProcessSpec("ssh", Words("yes", known, ["-i", keyFile, "-o", "PreferredAuthentications=publickey"], address, port, account, command)) { Input = input };
        var result = await RunAsync(spec, onLine, ct);
        return (result, result.Exit.Code != SshFailed);
    }

    private async Task<ProcessResult> RunAsync(ProcessSpec spec, Action<string> onLine, CancellationToken ct)
    {
        var (output, error) = (new List<string>(), new List<string>());
        try
        {
            await using var child = launcher.Start(spec, (stream, line) => Hear(stream == ProcessStream.Output ? output : error, line));
            await using var registration = ct.Register(() => _ = child.StopAsync());
            var exit = await child.Exited;
            ct.ThrowIfCancellationRequested();
            return new ProcessResult(exit, string.Join('\n', output), string.Join('\n', error));
        }
        catch (ProcessStartException e)
        {
            throw new MakingException($"{e.Message}: install openssh-client", e);
        }

        void Hear(List<string> said, string line)
        {
            lock (said)
            {
                said.Add(line);
            }

            if (!line.StartsWith("debug1: ", StringComparison.Ordinal) && line.Length > 0)
            {
                onLine(line);
            }
        }
    }

    private static ImmutableArray<string> Words(string strict, string knownHosts, ImmutableArray<string> more, IPAddress address, int port, string account, string command) =>
    [
        "-T", "-v", "-F", "none", "-p", port.ToString(CultureInfo.InvariantCulture), .. more,
        "-o", $"HostKeyAlias={Alias}", "-o", $"UserKnownHostsFile={knownHosts}", "-o", "GlobalKnownHostsFile=none", "-o", $"StrictHostKeyChecking={strict}",
        "-o", "UpdateHostKeys=no", "-o", "VerifyHostKeyDNS=no", "-o", "CheckHostIP=no", "-o", "HostKeyAlgorithms=ssh-ed25519",
        "-o", "BatchMode=yes", "-o", "IdentitiesOnly=yes", "-o", "ControlPath=none", "-o", "ForwardAgent=no", "-o", "ClearAllForwardings=yes",
        "-o", "ConnectionAttempts=1", "-o", $"ConnectTimeout={ConnectTimeoutSeconds}", "-o", "ServerAliveInterval=10", "-o", "ServerAliveCountMax=6", "-o", "IPQoS=cs0",
        "-l", account, address.ToString(), command,
    ];

    /// <summary>IPv4 first: a machine here may have no IPv6.</summary>
    private static IEnumerable<(IPAddress Address, int Port, string Account)> Ways(SetupTarget target) =>
        from address in target.Addresses.OrderBy(a => a.AddressFamily == AddressFamily.InterNetworkV6)
        from port in target.Ports
        from account in target.Accounts
        select (address, port, account);

    private static SshPhase Phase(ProcessResult result) => Lines(result.Error).Aggregate(SshPhase.Starting, SshStderr.Advance);

    private static string[] Lines(string text) => text.Split('\n', StringSplitOptions.RemoveEmptyEntries);

    private static string Last(ProcessResult result) =>
        Lines(result.Error).LastOrDefault(l => !l.StartsWith("debug1: ", StringComparison.Ordinal) && !l.StartsWith("Transferred:", StringComparison.Ordinal) && !l.StartsWith("Bytes per second", StringComparison.Ordinal)) ?? "nothing said";

    private static string Place(IPAddress address, int port) => new IPEndPoint(address, port).ToString();

    private static string Quoted(string text) => $"'{text.Replace("'", "'\\''", StringComparison.Ordinal)}'";
}
