using System.Diagnostics;
using Bastion.Agent;
using Bastion.Configuration;
using Common.Time;
using Microsoft.Extensions.Logging.Abstractions;
using Testing;

namespace Bastion.Tests.Agent;

public sealed class DrainTests : IDisposable
{
    private static readonly Instant T0 = new(1000);
    private readonly string _folder = Directory.CreateTempSubdirectory("drain").FullName;
    private readonly FakeTime _time = new();
    private TimeSpan _elapsed;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void Every_state_and_event_has_its_step()
    {
        var open = new DrainState.Open();
        var draining = new DrainState.Draining(T0, T0);
        var later = T0 + DrainMachine.ExpiresAfter;

        Assert.Equal((new DrainState.Draining(T0, T0), DoorEffect.Close), DrainMachine.Advance(open, DrainEvent.DrainAsked, T0));
        Assert.Equal((open, DoorEffect.Open), DrainMachine.Advance(open, DrainEvent.UndrainAsked, T0));
        Assert.Equal((open, DoorEffect.None), DrainMachine.Advance(open, DrainEvent.Tick, later));
        Assert.Equal((new DrainState.Draining(T0, later), DoorEffect.Close), DrainMachine.Advance(draining, DrainEvent.DrainAsked, later));
        Assert.Equal((open, DoorEffect.Open), DrainMachine.Advance(draining, DrainEvent.UndrainAsked, T0));
        Assert.Equal((draining, DoorEffect.None), DrainMachine.Advance(draining, DrainEvent.Tick, later - TimeSpan.FromTicks(1)));
        Assert.Equal((open, DoorEffect.Open), DrainMachine.Advance(draining, DrainEvent.Tick, later));
    }

    [Fact]
    public async Task Drain_that_is_forgotten_ends_by_itself()
    {
        using var service = await StartAsync();
        service.Drain();
        Assert.True(File.Exists(Nologin));

        await AdvanceUntilAsync(() => !File.Exists(Nologin));

        Assert.True(_elapsed >= DrainMachine.ExpiresAfter);
        await service.StopAsync(default);
    }

    [Fact]
    public async Task Killed_agent_leaves_the_door_closed_and_the_next_one_lets_it_expire()
    {
        File.WriteAllText(Nologin, "left by a killed one");
        using var service = await StartAsync();
        Assert.True(File.Exists(Nologin));

        await AdvanceUntilAsync(() => !File.Exists(Nologin));

        Assert.True(_elapsed >= DrainMachine.ExpiresAfter);
        await service.StopAsync(default);
    }

    [Fact]
    public async Task Stopping_opens_the_door()
    {
        using var service = await StartAsync();
        service.Drain();

        await service.StopAsync(default);

        Assert.False(File.Exists(Nologin));
    }

    [Fact]
    public async Task Door_that_cannot_be_closed_is_an_error_and_no_drain()
    {
        Directory.CreateDirectory(Nologin + ".bastion-new/x");
        using var service = await StartAsync();

        Assert.ThrowsAny<Exception>(service.Drain);

        _time.Advance(DrainMachine.Settle);
        Assert.False(service.Settled);
        await service.StopAsync(default);
    }

    [Fact]
    public async Task Settled_comes_after_the_log_had_time_to_be_read()
    {
        using var service = await StartAsync();
        service.Drain();
        Assert.False(service.Settled);

        _time.Advance(DrainMachine.Settle);

        Assert.True(service.Settled);
        await service.StopAsync(default);
    }

    private string Nologin => Path.Combine(_folder, "nologin");

    private async Task<DrainService> StartAsync()
    {
        var service = new DrainService(new Door(new DoorOptions(Nologin), []), _time, NullLogger<DrainService>.Instance);
        await service.StartAsync(default);
        return service;
    }

    /// <summary>The loop runs on a pool thread after its timer has fired: between steps it is given turns, not time.</summary>
    private async Task AdvanceUntilAsync(Func<bool> condition)
    {
        for (var began = Stopwatch.GetTimestamp(); !condition() && Stopwatch.GetElapsedTime(began) < TimeSpan.FromSeconds(30);)
        {
            _time.Advance(TimeSpan.FromSeconds(1));
            _elapsed += TimeSpan.FromSeconds(1);
            for (var turn = 0; turn < 20; turn++)
            {
                await Task.Yield();
            }
        }

        Assert.True(condition());
    }
}
