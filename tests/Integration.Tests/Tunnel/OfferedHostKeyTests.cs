using System.Net;
using System.Net.Sockets;
using Common.Processes;
using InternalHost.Configuration;
using InternalHost.Pins;
using InternalHost.Tunnel;
using InternalHost.Wan.Detection;
using Testing;

namespace Integration.Tests.Tunnel;

/// <summary>The key that a real sshd proves to have, held against its console.</summary>
public sealed class OfferedHostKeyTests : IAsyncLifetime
{
    private const Need Needed = Need.Ssh | Need.Sshd;
    private static readonly UplinkOptions Uplink = new(UplinkName.Primary, "lo");

    private readonly CancellationTokenSource _limit = new(TimeSpan.FromMinutes(2));
    private TestSshd _sshd = null!;

    public async Task InitializeAsync() => _sshd = Needs.Missing(Needed) is null ? await TestSshd.StartAsync() : null!;

    public async Task DisposeAsync()
    {
        await (_sshd?.DisposeAsync() ?? ValueTask.CompletedTask);
        _limit.Dispose();
    }

    [NeedsFact(Needed)]
    public async Task Key_is_told_whatever_is_pinned_and_only_the_consoles_word_makes_it_a_pin()
    {
        var offered = await AskAsync(_sshd.Options with { HostKeys = [_sshd.HostKey("host2")] });

        Assert.Equal(_sshd.HostKey("host"), offered);
        Assert.Equal(FirstPinVerdict.Pin, FirstPin.Judge(Console("host2", "host"), offered!).Verdict);
        Assert.Equal(FirstPinVerdict.Mismatch, FirstPin.Judge(Console("host2"), offered!).Verdict);
        Assert.DoesNotContain(_sshd.Log, l => l.Contains("Accepted", StringComparison.Ordinal));
        Assert.Empty(Directory.EnumerateFiles(TunnelFolder.In(Folder)));
    }

    [NeedsFact(Needed)]
    public async Task Nobody_there_has_no_key()
    {
        Assert.Null(await AskAsync(_sshd.Options with { Ports = [1] }));

        using var notSsh = new TcpListener(IPAddress.Loopback, 0);
        notSsh.Start();
        var answering = notSsh.AcceptSocketAsync();
        var asked = new OfferedHostKey(new SystemProcessLauncher(TimeProvider.System), _sshd.Options, Folder, TimeProvider.System)
            .AskAsync(Uplink, (IPEndPoint)notSsh.LocalEndpoint, _limit.Token);
        using (var stranger = await answering.WaitAsync(_limit.Token))
        {
            await stranger.SendAsync("HTTP/1.0 400 Bad Request\r\n\r\n"u8.ToArray());
        }

        Assert.Null(await asked);
        Assert.Empty(Directory.EnumerateFiles(TunnelFolder.In(Folder)));
    }

    private string Folder => Path.Combine(_sshd.Folder, "run");

    private Task<string?> AskAsync(BastionOptions bastion) =>
        new OfferedHostKey(new SystemProcessLauncher(TimeProvider.System), bastion, Folder, TimeProvider.System)
            .AskAsync(Uplink, new IPEndPoint(_sshd.Address, bastion.Ports[0]), _limit.Token);

    private ConsoleKeys Console(params string[] names) => ConsoleText.Read(
        $"-----BEGIN SSH HOST KEY KEYS-----\n{string.Concat(names.Select(n => _sshd.HostKey(n) + " root@vm\n"))}-----END SSH HOST KEY KEYS-----\n");
}
