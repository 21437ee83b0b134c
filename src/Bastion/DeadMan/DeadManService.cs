using System.Globalization;
using Bastion.Agent;
using Common.Alerts;
using Common.Configuration;
using Common.Text;
using Common.Time;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Bastion.DeadMan;

/// <summary>What the dead man asks of the rest of the agent.</summary>
/// <param name="Pending">Alerts on their way.</param>
internal sealed record DeadManSenses(Func<CancellationToken, Task<Presence>> Presence, Func<bool> AptIdle, Func<int> Pending, Action<Alert> Raise);

/// <summary>Looks every few seconds, and does what <see cref="DeadManMachine"/> decides.</summary>
/// <param name="scene">Site and boot, for the alerts' names.</param>
internal sealed partial class DeadManService(
    DeadManOptions options, (string Site, string Boot) scene, DeadManSenses senses, DrainService drain, IPowerSwitch power, HoldFile hold,
    TimeProvider time, ILogger<DeadManService> logger) : BackgroundService
{
    private volatile DeadManState _state = new DeadManState.Watching(Instant.Now(time));

    /// <summary>Until it would switch off were nobody to come; zero once it does.</summary>
    public TimeSpan OffIn => _state is DeadManState.Watching w
        ? Positive(DeadManMachine.GoesAt(w, View(Presence.Nobody), options.After) - Instant.Now(time))
        : TimeSpan.Zero;

    public TimeSpan HeldFor => Positive(hold.Until - Instant.Now(time));

    /// <summary>Stays up for this long from now, at least; zero lifts a hold.</summary>
    /// <exception cref="IOException">It could not be written down.</exception>
    /// <exception cref="UnauthorizedAccessException">The same.</exception>
    public void Hold(TimeSpan span)
    {
        hold.Set(Instant.Now(time) + (span > HoldFile.Longest ? HoldFile.Longest : span));
        Held(logger, Quantities.Say(span));
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        _state = new DeadManState.Watching(Instant.Now(time));
        try
        {
            while (true)
            {
                await Task.Delay(options.LookEvery, time, stoppingToken);
                await LookAsync(stoppingToken);
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
        }
    }

    private async Task LookAsync(CancellationToken ct)
    {
        var view = View(await senses.Presence(ct));
        var (next, effects) = DeadManMachine.Advance(_state, view, Instant.Now(time), options.After);
        if (next.GetType() != _state.GetType())
        {
            Moved(logger, _state.GetType().Name, next.GetType().Name, view.Presence);
        }

        _state = next;
        foreach (var effect in effects)
        {
            await PerformAsync(effect, ct);
        }
    }

    private DeadManView View(Presence presence) => new(presence, senses.AptIdle(), senses.Pending() == 0, drain.Settled, hold.Until);

    private async Task PerformAsync(DeadManEffect effect, CancellationToken ct)
    {
        try
        {
            switch (effect)
            {
                case DeadManEffect.CloseDoor:
                    drain.Drain();
                    break;
                case DeadManEffect.OpenDoor:
                    drain.Undrain();
                    break;
                case DeadManEffect.PowerOff:
                    await power.OffAsync(ct);
                    break;
                default:
                    senses.Raise(Compose(effect));
                    break;
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // The machine's next steps see that it has not happened: an open door is never settled, an end that does not come is told.
            Failed(logger, effect, e.Message);
        }
    }

    private Alert Compose(DeadManEffect effect)
    {
        var stuck = effect == DeadManEffect.TellStuck;
        var about = stuck ? $"deadman/{scene.Boot}/stuck" : string.Create(CultureInfo.InvariantCulture, $"deadman/{scene.Boot}/{Instant.Now(time).Ticks}");
        var id = AlertId.From($"{scene.Site}/bastion/{about}");
        var text = stuck
            ? SmsText.Fit(id, $"{scene.Site} bastion: nobody is here and it could not switch itself off. It costs money: stop it in the cloud app.")
            : SmsText.Fit(id, $"{scene.Site} bastion: no tunnel and nobody here for {Quantities.Say(options.After)}, it switches itself off. Start it in the cloud app to come back.");
        return new Alert(id, stuck ? "broken" : "off", stuck ? Severity.High : Severity.Normal, text, time.GetUtcNow(), about);
    }

    private static TimeSpan Positive(TimeSpan span) => span < TimeSpan.Zero ? TimeSpan.Zero : span;

    [LoggerMessage(501, LogLevel.Information, "dead man: {From} to {To}, {Presence} here")]
    private static partial void Moved(ILogger logger, string from, string to, Presence presence);

    [LoggerMessage(502, LogLevel.Warning, "dead man: {Effect} failed: {Reason}")]
    private static partial void Failed(ILogger logger, DeadManEffect effect, string reason);

    [LoggerMessage(503, LogLevel.Information, "dead man: held for {Span}")]
    private static partial void Held(ILogger logger, string span);
}
