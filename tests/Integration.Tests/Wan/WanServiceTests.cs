using System.Collections.Concurrent;
using System.Diagnostics;
using Common.Time;
using InternalHost.Configuration;
using InternalHost.Wan;
using InternalHost.Wan.Clock;
using InternalHost.Wan.Detection;
using InternalHost.Wan.Links;
using InternalHost.Wan.Probes;
using Lab.World;
using Microsoft.Extensions.Logging.Abstractions;

namespace Integration.Tests.Wan;

/// <summary>The whole detector on a world of loopback addresses: real sockets, real DNS and TLS, links that go dark.</summary>
public sealed class WanServiceTests : IAsyncLifetime
{
    private static readonly TimeSpan Confirm = TimeSpan.FromSeconds(4);
    private static readonly TimeSpan Recover = TimeSpan.FromSeconds(3);
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(90);

    /// <summary>Longer than what counts as one.</summary>
    private static readonly TimeSpan Silence = TimeSpan.FromSeconds(5);

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("wan");
    private readonly ConcurrentQueue<UplinkReport> _told = new();
    private readonly SemaphoreSlim _news = new(0);
    private LoopbackWorld _world = null!;
    private WanService _service = null!;
    private volatile bool _bastionRuns;
    private volatile int _returns;
    private UplinkName? _tunnelBy;

    public async Task InitializeAsync()
    {
        _world = await LoopbackWorld.StartAsync(TimeProvider.System);
        var ca = Path.Combine(_folder.FullName, "ca.pem");
        _world.WriteRoot(ca);
        var servers = _world.Servers;
        var witnesses = new WitnessOptions(
            [servers.IspDns], [servers.DnsA], [servers.DnsB],
            new TlsWitness(WorldServers.NameA, [servers.TlsA], ca), new TlsWitness(WorldServers.NameB, [servers.TlsB], ca),
            [servers.DnsA], [servers.Time], WorldServers.ProbeName)
        {
            Stun = [new($"{servers.StunA.Address}", servers.StunA.Port), new($"{servers.StunB.Address}", servers.StunB.Port)],
            Http = new Uri($"http://{WorldServers.HttpName}:{servers.Http.Port}/"),
        };
        var primary = new UplinkOptions(UplinkName.Primary, "lo", _world.Block.Primary);
        var backup = new UplinkOptions(UplinkName.Backup, "lo", _world.Block.Backup);
        var detector = new DetectorOptions { ConfirmAfter = Confirm, RecoverAfter = Recover };
        var trusted = new TrustedTime(new KernelClock(), TimeProvider.System, null, TrustedTime.BuildDate);
        _service = new WanService(
            new WanOptions(primary, backup, witnesses, detector, detector.AsBackup()),
            new WitnessProber(primary, backup, witnesses, trusted, new UplinkMeter(), TimeProvider.System),
            new SysfsCarrier(),
            new PathLookup(),
            Tell,
            TimeProvider.System,
            NullLogger<WanService>.Instance)
        {
            BastionRuns = () => _bastionRuns,
            Returned = () => _returns++,
            BastionProof = () => _tunnelBy is { } by ? (by, Instant.Now(TimeProvider.System)) : null,
        };
        await _service.StartAsync(default);
    }

    public async Task DisposeAsync()
    {
        await _service.StopAsync(default);
        _service.Dispose();
        await _world.DisposeAsync();
        _folder.Delete(recursive: true);
        _news.Dispose();
    }

    [Fact]
    public async Task Cut_is_down_in_time_with_the_backup_proven_and_restored_is_up()
    {
        await UntilAsync(r => r is { Name: UplinkName.Primary, State: UplinkState.Up });
        await UntilAsync(r => r is { Name: UplinkName.Backup, State: UplinkState.Up });

        var cut = Stopwatch.StartNew();
        _world.Primary.Dark = true;
        var down = await UntilAsync(r => r is { Name: UplinkName.Primary, Usable: Usable.No });
        var toDown = cut.Elapsed;
        var backup = _service.Backup;

        var restored = Stopwatch.StartNew();
        _world.Primary.Dark = false;
        var up = await UntilAsync(r => r is { Name: UplinkName.Primary, Usable: Usable.Yes });
        var toUp = restored.Elapsed;

        Assert.Equal((UplinkState.Down, Reasons.Dark), (down.State, down.Reason));
        Assert.InRange(toDown.TotalSeconds, 2.8, 30);
        Assert.Equal(Usable.Yes, backup.Usable);
        Assert.True(down.Since - backup.LastAnswered!.Value < TimeSpan.FromSeconds(5));
        Assert.Equal((UplinkState.Up, Reasons.Recovered), (up.State, up.Reason));
        Assert.InRange(toUp.TotalSeconds, 2.8, 40);
        Assert.True(up.EverUp);
        Assert.InRange(_service.Backup.ProbeBytes.Sent + _service.Backup.ProbeBytes.Received, 1000, 600_000);
        Assert.All(_service.Primary.Witnesses, w => Assert.True(w.Answered > 0, w.ToString()));
    }

    [Fact]
    public async Task Power_cut_both_then_backup_first()
    {
        await UntilAsync(r => r is { Name: UplinkName.Primary, State: UplinkState.Up });
        await UntilAsync(r => r is { Name: UplinkName.Backup, State: UplinkState.Up });

        _world.Primary.Dark = _world.Backup.Dark = true;
        var fault = await UntilAsync(r => r is { Name: UplinkName.Primary, State: UplinkState.LocalFault });
        // Long enough to be a silence, however early the fault was told.
        await Task.Delay(Silence);
        var returns = _returns;
        _world.Backup.Dark = false;
        var down = await UntilAsync(r => r is { Name: UplinkName.Primary, Usable: Usable.No });

        for (var began = Stopwatch.GetTimestamp(); _returns == returns; await Task.Delay(20))
        {
            Assert.True(Stopwatch.GetElapsedTime(began) < Limit, "the backup's return was not told");
        }

        Assert.Equal(Usable.Unknown, fault.Usable);
        Assert.Contains(fault.Reason, (string[])[Reasons.BothDark, Reasons.Late]);
        Assert.Equal(UplinkState.Down, down.State);
        Assert.Equal(Usable.Yes, _service.Backup.Usable);
        Assert.DoesNotContain(_told, r => r.Name == UplinkName.Primary && r.Usable == Usable.No && r.Since < fault.Since);
    }

    [Fact]
    public async Task Proof_through_the_tunnel_keeps_an_uplink_from_being_called_dark()
    {
        await UntilAsync(r => r is { Name: UplinkName.Primary, State: UplinkState.Up });
        await UntilAsync(r => r is { Name: UplinkName.Backup, State: UplinkState.Up });
        _tunnelBy = UplinkName.Primary;

        _world.Primary.Dark = true;
        await Task.Delay(Confirm * 2);
        var meanwhile = _service.Primary;
        var told = _told.Count(r => r is { Name: UplinkName.Primary, State: UplinkState.Down });
        _tunnelBy = null;
        var down = await UntilAsync(r => r is { Name: UplinkName.Primary, State: UplinkState.Down });

        Assert.NotEqual(UplinkState.Down, meanwhile.State);
        Assert.Equal(0, told);
        Assert.Equal(Reasons.Dark, down.Reason);
    }

    [Fact]
    public async Task Bastion_is_asked_by_the_primary_while_it_runs_and_never_by_the_metered_backup()
    {
        await UntilAsync(r => r is { Name: UplinkName.Primary, State: UplinkState.Up });
        await UntilAsync(r => r is { Name: UplinkName.Backup, State: UplinkState.Up });
        Assert.DoesNotContain(_service.Primary.Witnesses, w => w is { Name: WitnessName.Bastion, Asked: > 0 });

        _bastionRuns = true;

        using var limit = new CancellationTokenSource(Limit);
        while (!_service.Primary.Witnesses.Any(w => w is { Name: WitnessName.Bastion, Asked: > 0 }))
        {
            await Task.Delay(50, limit.Token);
        }

        Assert.DoesNotContain(_service.Backup.Witnesses, w => w is { Name: WitnessName.Bastion, Asked: > 0 });
    }

    [Fact]
    public async Task Stopping_ends_every_probe_at_once()
    {
        await UntilAsync(r => r is { Name: UplinkName.Primary, State: UplinkState.Up });
        _world.Primary.Dark = true;
        await UntilAsync(r => r is { Name: UplinkName.Primary, State: UplinkState.Suspect });

        // The probes under way would take another six seconds each to give up; the watchdog of systemd is not that patient.
        await _service.StopAsync(default).WaitAsync(Limit);

        Assert.True(_service.ExecuteTask!.IsCompleted);
        Assert.False(_service.ExecuteTask.IsFaulted);
    }

    private void Tell(UplinkReport report)
    {
        _told.Enqueue(report);
        _news.Release();
    }

    /// <summary>The next such report; those already told before the last call count too.</summary>
    private async Task<UplinkReport> UntilAsync(Func<UplinkReport, bool> wanted)
    {
        using var limit = new CancellationTokenSource(Limit);
        while (true)
        {
            var last = new[] { _service.Primary, _service.Backup }.FirstOrDefault(wanted);
            if (last is not null)
            {
                return last;
            }

            await _news.WaitAsync(limit.Token);
        }
    }
}
