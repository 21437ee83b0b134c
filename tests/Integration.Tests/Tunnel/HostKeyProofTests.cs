using System.Net;
using System.Net.Sockets;
using Common.Processes;
using InternalHost.Configuration;
using InternalHost.Pins;
using InternalHost.Tunnel;
using InternalHost.Wan.Detection;
using Testing;

namespace Integration.Tests.Tunnel;

/// <summary>The bastion as a witness: real ssh and real sshd, a key exchange and no login.</summary>
public sealed class HostKeyProofTests : IAsyncLifetime
{
    private const Need Needed = Need.Ssh | Need.Sshd;
    private static readonly UplinkOptions Uplink = new(UplinkName.Primary, "lo");

    private readonly CancellationTokenSource _limit = new(TimeSpan.FromSeconds(60));
    private TestSshd _sshd = null!;

    public async Task InitializeAsync() => _sshd = Needs.Missing(Needed) is null ? await TestSshd.StartAsync() : null!;

    public async Task DisposeAsync()
    {
        await (_sshd?.DisposeAsync() ?? ValueTask.CompletedTask);
        _limit.Dispose();
    }

    [NeedsFact(Needed)]
    public async Task Pinned_key_is_proven_without_a_login_and_nothing_is_left()
    {
        var proof = Proof(_sshd.Options);

        Assert.Equal(ProbeOutcome.Authenticated, await proof.AskAsync(Uplink, [_sshd.Address], _limit.Token));
        Assert.Equal(ProbeOutcome.Authenticated, await proof.AskAsync(Uplink, [_sshd.Address], _limit.Token));

        Assert.DoesNotContain(_sshd.Log, l => l.Contains("Accepted", StringComparison.Ordinal));
        Assert.Empty(Directory.EnumerateFiles(TunnelFolder.In(Folder)));
    }

    [NeedsFact(Needed)]
    public async Task Another_key_is_refuted() =>
        Assert.Equal(ProbeOutcome.Refuted, await Proof(_sshd.Options with { HostKeys = [_sshd.HostKey("host2")] }).AskAsync(Uplink, [_sshd.Address], _limit.Token));

    [NeedsFact(Needed)]
    public async Task Key_that_a_reload_brings_counts_at_the_next_question()
    {
        var keys = new AcceptedKeys([_sshd.HostKey("host2")]);
        var proof = new HostKeyProof(new SystemProcessLauncher(TimeProvider.System), _sshd.Options, Folder, TimeProvider.System, keys: keys);

        Assert.Equal(ProbeOutcome.Refuted, await proof.AskAsync(Uplink, [_sshd.Address], _limit.Token));
        keys.Replace([_sshd.HostKey("host2"), _sshd.HostKey("host")]);
        Assert.Equal(ProbeOutcome.Authenticated, await proof.AskAsync(Uplink, [_sshd.Address], _limit.Token));
    }

    [NeedsFact(Needed)]
    public async Task Port_that_is_dead_is_lost_and_the_next_one_is_asked_the_next_time()
    {
        var proof = Proof(_sshd.Options with { Ports = [_sshd.Port, 1] });

        Assert.Equal(ProbeOutcome.Lost, await proof.AskAsync(Uplink, [_sshd.Address], _limit.Token));
        Assert.Equal(ProbeOutcome.Authenticated, await proof.AskAsync(Uplink, [_sshd.Address], _limit.Token));
    }

    [NeedsFact(Needed)]
    public async Task Server_that_says_nothing_is_given_up()
    {
        using var silent = new TcpListener(IPAddress.Loopback, 0);
        silent.Start();
        using var giveUp = new CancellationTokenSource(TimeSpan.FromSeconds(1));

        Assert.Equal(ProbeOutcome.Lost, await Proof(_sshd.Options with { Ports = [((IPEndPoint)silent.LocalEndpoint).Port] }).AskAsync(Uplink, [IPAddress.Loopback], giveUp.Token));
        Assert.Empty(Directory.EnumerateFiles(TunnelFolder.In(Folder)));
    }

    [NeedsFact(Needed)]
    public async Task Bastion_without_an_address_of_the_uplinks_family_says_nothing()
    {
        var v4 = new UplinkOptions(UplinkName.Primary, "lo", IPAddress.Loopback);

        Assert.Equal(ProbeOutcome.Unknown, await Proof(_sshd.Options).AskAsync(v4, [], _limit.Token));
        Assert.Equal(ProbeOutcome.Unknown, await Proof(_sshd.Options).AskAsync(v4, [IPAddress.IPv6Loopback], _limit.Token));
    }

    private string Folder => Path.Combine(_sshd.Folder, "run");

    private HostKeyProof Proof(BastionOptions bastion) => new(new SystemProcessLauncher(TimeProvider.System), bastion, Folder, TimeProvider.System);
}
