using Common.Time;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Bastion.Agent;

/// <summary>Holds the drain's state, moves the door, and lets a forgotten drain expire.</summary>
internal sealed partial class DrainService(Door door, TimeProvider time, ILogger<DrainService> logger) : BackgroundService
{
    private static readonly TimeSpan LookEvery = TimeSpan.FromSeconds(1);
    private readonly Lock _gate = new();

    /// <summary>Written under _gate.</summary>
    private DrainState _state = new DrainState.Open();

    public bool Settled
    {
        get
        {
            lock (_gate)
            {
                return DrainMachine.Settled(_state, Instant.Now(time));
            }
        }
    }

    /// <summary>Keeps new people out. Repeating it keeps the door closed for longer.</summary>
    /// <exception cref="IOException">The door could not be moved; the state is as before.</exception>
    /// <exception cref="UnauthorizedAccessException">The same.</exception>
    public void Drain() => Handle(DrainEvent.DrainAsked);

    /// <inheritdoc cref="Drain"/>
    public void Undrain() => Handle(DrainEvent.UndrainAsked);

    public override async Task StartAsync(CancellationToken cancellationToken)
    {
        if (door.IsClosed)
        {
            // Closed by one of us that was killed: it counts from now, and ends by itself.
            Drain();
        }
        else
        {
            Undrain();
        }

        await base.StartAsync(cancellationToken);
    }

    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        await base.StopAsync(cancellationToken);
        TryHandle(DrainEvent.UndrainAsked);   // nobody would open it again
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        try
        {
            while (true)
            {
                await Task.Delay(LookEvery, time, stoppingToken);
                TryHandle(DrainEvent.Tick);
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
        }
    }

    private void TryHandle(DrainEvent ev)
    {
        try
        {
            Handle(ev);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            Stuck(logger, e.GetType().Name);
        }
    }

    private void Handle(DrainEvent ev)
    {
        lock (_gate)
        {
            var (next, effect) = DrainMachine.Advance(_state, ev, Instant.Now(time));
            Move(effect);
            if (next is DrainState.Open != _state is DrainState.Open)
            {
                Moved(logger, next is DrainState.Open ? "opened" : "closed to new people");
            }

            _state = next;
        }
    }

    private void Move(DoorEffect effect)
    {
        if (effect == DoorEffect.Close)
        {
            door.Close();
        }
        else if (effect == DoorEffect.Open)
        {
            door.Open();
        }
    }

    [LoggerMessage(301, LogLevel.Information, "door {State}")]
    private static partial void Moved(ILogger logger, string state);

    [LoggerMessage(302, LogLevel.Warning, "door cannot be moved ({Kind}): is the folder of nologin_path ours?")]
    private static partial void Stuck(ILogger logger, string kind);
}
