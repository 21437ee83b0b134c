using System.Diagnostics;
using Bastion.Agent;
using Bastion.Configuration;
using Bastion.DeadMan;
using Common.Alerts;
using Microsoft.Extensions.Logging.Abstractions;
using Testing;

namespace Bastion.Tests.DeadMan;

public sealed class DeadManServiceTests : IAsyncLifetime
{
    private static readonly DeadManOptions Options = new(TimeSpan.FromMinutes(20), "/unused", null);
    private readonly string _folder = Directory.CreateTempSubdirectory("deadman").FullName;
    private readonly FakeTime _time = new();
    private readonly List<Alert> _told = [];
    private readonly RecordedSwitch _power = new();
    private volatile Presence _presence = Presence.Nobody;
    private volatile int _pending;
    private TimeSpan _elapsed;
    private DrainService _drain = null!;
    private DeadManService _service = null!;

    public async Task InitializeAsync()
    {
        _drain = new DrainService(new Door(new DoorOptions(Path.Combine(_folder, "nologin")), []), _time, NullLogger<DrainService>.Instance);
        await _drain.StartAsync(default);
        _service = new DeadManService(
            Options, ("home", "boot-1"), new DeadManSenses(_ => Task.FromResult(_presence), () => true, () => _pending, Tell), _drain, _power,
            new HoldFile(Path.Combine(_folder, "hold")), _time, NullLogger<DeadManService>.Instance);
        await _service.StartAsync(default);
    }

    public async Task DisposeAsync()
    {
        await _service.StopAsync(default);
        await _drain.StopAsync(default);
        _service.Dispose();
        _drain.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public async Task Forgotten_machine_tells_delivers_and_goes_off()
    {
        await AdvanceUntilAsync(() => _told.Count > 0);
        Assert.Equal(0, _power.Asked);
        Assert.Equal(TimeSpan.Zero, _service.OffIn);

        _pending = 0;
        await AdvanceUntilAsync(() => _power.Asked > 0);

        Assert.True(_elapsed >= Options.After);
        Assert.Matches("^home bastion: no tunnel and nobody here for 20m, .* #[0-9A-Z]+$", Assert.Single(_told).Text);
    }

    [Fact]
    public async Task Held_machine_stays_up_and_says_so()
    {
        _service.Hold(TimeSpan.FromHours(2));
        Assert.Equal(TimeSpan.FromHours(2), _service.HeldFor);
        Assert.Equal(TimeSpan.FromHours(2) + Options.After, _service.OffIn);

        await AdvanceUntilAsync(() => _power.Asked > 0);

        Assert.True(_elapsed >= TimeSpan.FromHours(2) + Options.After);
        Assert.Equal(TimeSpan.Zero, _service.HeldFor);
    }

    [Fact]
    public async Task Switch_that_fails_is_told_and_the_door_opens_again()
    {
        _power.Fails = true;

        await AdvanceUntilAsync(() => _told.Any(a => a.Kind == "broken"));
        await AdvanceUntilAsync(() => !File.Exists(Path.Combine(_folder, "nologin")));
    }

    private void Tell(Alert alert)
    {
        _pending = 1;
        _told.Add(alert);
    }

    /// <summary>The loops run on pool threads after their timers have fired: between steps they are given turns, not time.</summary>
    private async Task AdvanceUntilAsync(Func<bool> condition)
    {
        for (var began = Stopwatch.GetTimestamp(); !condition() && Stopwatch.GetElapsedTime(began) < TimeSpan.FromSeconds(30);)
        {
            _time.Advance(TimeSpan.FromSeconds(5));
            _elapsed += TimeSpan.FromSeconds(5);
            for (var turn = 0; turn < 20; turn++)
            {
                await Task.Yield();
            }
        }

        Assert.True(condition());
    }

    private sealed class RecordedSwitch : IPowerSwitch
    {
        private volatile int _asked;

        public int Asked => _asked;

        public bool Fails { get; set; }

        public Task OffAsync(CancellationToken ct)
        {
            if (Fails)
            {
                throw new IOException("no");
            }

            _asked++;
            return Task.CompletedTask;
        }
    }
}
