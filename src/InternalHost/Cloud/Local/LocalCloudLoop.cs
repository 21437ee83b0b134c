using System.Threading.Channels;
using Common.Processes;
using Common.Time;

namespace InternalHost.Cloud.Local;

/// <param name="Lost">Carried out, never answered: the connection is closed.</param>
internal readonly record struct CallResult(LocalCloudReply Reply, TimeSpan Delay, bool Lost);

/// <summary>Owns the instance's state and the modes: one loop reads calls and news, nobody else writes.</summary>
internal sealed class LocalCloudLoop(LocalCloudSettings settings, string directory, IProcessLauncher launcher, TimeProvider time, ProviderLog log)
{
    private readonly Channel<(LocalCloudRequest? Call, LocalInstanceEvent? News, TaskCompletionSource<CallResult>? Answer)> _inbox =
        Channel.CreateUnbounded<(LocalCloudRequest?, LocalInstanceEvent?, TaskCompletionSource<CallResult>?)>(new() { SingleReader = true });

    private readonly string _id = $"local-{settings.Tag}";
    private LocalInstance _instance = new LocalInstance.Stopped(LastLaunch(log.Path), 0);
    private volatile LocalCloudModes _modes = settings.Modes;
    private Action<LocalInstanceEffect> _perform = static _ => { };

    public async Task<CallResult> CallAsync(LocalCloudRequest request, CancellationToken ct)
    {
        var answer = new TaskCompletionSource<CallResult>(TaskCreationOptions.RunContinuationsAsynchronously);
        await _inbox.Writer.WriteAsync((request, null, answer), ct);
        return await answer.Task.WaitAsync(ct);
    }

    /// <summary>Until cancelled; then nothing that was started is left.</summary>
    public async Task RunAsync(CancellationToken ct)
    {
        try
        {
            await using var host = new LocalInstanceHost(
                settings, directory, () => _modes, launcher, time, log, e => _inbox.Writer.TryWrite((null, e, null)), e => _inbox.Writer.TryComplete(e));
            _perform = host.Perform;
            await LoopAsync(ct);
        }
        catch (OperationCanceledException) when (ct.IsCancellationRequested)
        {
            if (_instance is not LocalInstance.Stopped)
            {
                // The provider ends, and what ran on it: that is a stop, and it is written down as one.
                Record(new LocalInstanceEffect.Record(_instance.Launch, _instance.Place, LocalInstanceMachine.HasStopped, Cause.Itself));
            }
        }
    }

    private async Task LoopAsync(CancellationToken ct)
    {
        while (true)
        {
            await WaitAsync(ct);
            while (_inbox.Reader.TryRead(out var item))
            {
                Handle(item.Call, item.News, item.Answer);
            }

            while (_instance.Wake <= Instant.Now(time))
            {
                _ = Advance(new LocalInstanceEvent.Tick(Instant.Now(time)));
            }
        }
    }

    private static int LastLaunch(string logPath) => ProviderLog.Read(logPath).Count(e => e.Event == LocalInstanceMachine.Launched);

    private async Task WaitAsync(CancellationToken ct)
    {
        if (_instance.Wake == Instant.Never)
        {
            _ = await _inbox.Reader.WaitToReadAsync(ct);
            return;
        }

        var left = _instance.Wake - Instant.Now(time);
        if (left <= TimeSpan.Zero)
        {
            return;
        }

        // A timer of .NET may be a little early: the loop asks the clock again.
        using var due = CancellationTokenSource.CreateLinkedTokenSource(ct);
        var news = _inbox.Reader.WaitToReadAsync(due.Token).AsTask();
        if (await Task.WhenAny(news, Task.Delay(left, time, due.Token)) == news)
        {
            _ = await news;
        }

        await due.CancelAsync();
        ct.ThrowIfCancellationRequested();
    }

    private void Handle(LocalCloudRequest? call, LocalInstanceEvent? news, TaskCompletionSource<CallResult>? answer)
    {
        if (news is not null)
        {
            _ = Advance(news);
        }

        if (call is not null)
        {
            answer?.TrySetResult(Carry(call));
        }
    }

    private CallResult Carry(LocalCloudRequest call)
    {
        (var failure, _modes) = CallFaults.TakeFailure(_modes, call.Op);
        if (failure is { } f)
        {
            return Answered(call, LocalCloudReply.Failed(f, $"the local cloud was told to answer {call.Op} like this"), _modes.Reply, lost: false);
        }

        var reply = CarryOut(call, Instant.Now(time));
        (var lost, _modes) = CallFaults.TakeLoss(_modes, call.Op);
        return Answered(call, reply, LocalCloudSettingsReader.Operations.Contains(call.Op) ? _modes.Reply : TimeSpan.Zero, lost);
    }

    private CallResult Answered(LocalCloudRequest call, LocalCloudReply reply, TimeSpan delay, bool lost)
    {
        var outcome = lost ? "lost" : reply.Ok ? "ok" : reply.Failure;
        log.Write(new(0, "call", call.Op, outcome, _instance.LaunchId));
        return new(reply, delay, lost);
    }

    private LocalCloudReply CarryOut(LocalCloudRequest call, Instant at) => call.Op switch
    {
        "describe" => Seen(at),
        "start" => Asked(new LocalInstanceEvent.StartAsked(at, Cause.Api)),
        "stop" => Asked(new LocalInstanceEvent.StopAsked(at, Cause.Api)),
        "owner-start" => Asked(new LocalInstanceEvent.StartAsked(at, Cause.Owner)),
        "owner-stop" => Asked(new LocalInstanceEvent.StopAsked(at, Cause.Owner)),
        "self-stop" => Asked(new LocalInstanceEvent.StopAsked(at, Cause.Itself)),
        "move" => Asked(new LocalInstanceEvent.MoveAsked(at)),
        "set-mode" => SetMode(call, at),
        "log" => new(true, Log: [.. ProviderLog.Read(log.Path)]),
        "quit" => new(true),
        _ => LocalCloudReply.Failed(CloudFailure.Unknown, "unknown op; known: describe, start, stop, owner-start, owner-stop, self-stop, move, set-mode, log, quit"),
    };

    private LocalCloudReply SetMode(LocalCloudRequest call, Instant at)
    {
        try
        {
            _modes = LocalCloudSettingsReader.ReadModes(call.Modes ?? default, _modes);
            return Asked(new LocalInstanceEvent.ModesChanged(at));
        }
        catch (LocalCloudSettingsException e)
        {
            return LocalCloudReply.Failed(CloudFailure.Unknown, e.Message);
        }
    }

    private LocalCloudReply Asked(LocalInstanceEvent ev) =>
        Advance(ev) is { } refusal ? LocalCloudReply.Failed(CloudFailure.Transient, refusal) : Seen(ev.At);

    private LocalCloudReply Seen(Instant at) => new(true, Instance: InstanceOnWire.From(_instance.Seen(_id, settings.Announced, at)));

    private string? Advance(LocalInstanceEvent ev)
    {
        var step = LocalInstanceMachine.Advance(_instance, ev, _modes, settings.Addresses.Length);
        _instance = step.Next;
        foreach (var effect in step.Effects)
        {
            if (effect is LocalInstanceEffect.Record record)
            {
                Record(record);
            }
            else
            {
                _perform(effect);
            }
        }

        return step.Refusal;
    }

    private void Record(LocalInstanceEffect.Record record) => log.Write(new(
        0, record.Event, Launch: LocalInstance.Name(record.Launch), By: record.By.ToString().ToLowerInvariant(), Address: $"{settings.Addresses[record.Place]}"));
}
