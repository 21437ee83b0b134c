using Common.Time;

namespace InternalHost.Cloud.Making;

/// <summary>What is done by itself, whoever the provider is: on the machine by SSH, and in our own files.</summary>
/// <param name="Install">Makes the machine a bastion; the first account of the image is given.</param>
/// <param name="Pin">Writes the pin where the daemon looks for it.</param>
internal sealed record MakingHands(Func<SeenMachine, MakingNotes, CancellationToken, Task> Install, Func<MakingNotes, CancellationToken, Task> Pin)
{
    /// <summary>Where no machine is worked on.</summary>
    public static readonly MakingHands None = new(
        (machine, _, _) => throw new MakingException($"{machine.Id} has to be installed anew: run this again"),
        (_, _) => throw new MakingException("the host key has to be pinned anew: run this again"));
}

/// <summary>
/// Makes a site's machine: looks, does the one thing that is next, writes it down, looks again. Where it ends, for whatever reason, the
/// next run goes on.
/// </summary>
internal sealed class Maker(IMakerCloud cloud, MakingJournal journal, MakingHands hands, MakingPatience patience, TimeProvider time, Action<MakingNews> tell)
{
    /// <summary>The step that is being done, and since when; a step is asked for again until the provider shows its result.</summary>
    private (string What, Instant Since)? _now;
    private int _failures;   // one after the other

    /// <returns>False: there was nothing to do.</returns>
    /// <exception cref="MakingException"/>
    /// <exception cref="CloudException"/>
    public async Task<bool> CreateAsync(CancellationToken ct)
    {
        var did = false;
        while (await PatientlyAsync(() => TurnAsync(ct), ct))
        {
            did = true;
        }

        End();
        return did;
    }

    /// <summary>Deletes everything of the site that there is.</summary>
    /// <exception cref="MakingException"/>
    /// <exception cref="CloudException"/>
    public async Task RemoveAsync(CancellationToken ct)
    {
        journal.Write(journal.Notes with { Removing = true });
        while (await PatientlyAsync(() => DeleteNextAsync(ct), ct))
        {
        }

        End();
        journal.Erase();
    }

    private async Task<bool> TurnAsync(CancellationToken ct)
    {
        var seen = await cloud.LookAsync(journal.Notes, everything: false, ct);
        switch (MakingRules.Next(seen, journal.Notes, cloud.Lifecycle))
        {
            case MakingTurn.Refuse refuse:
                throw new MakingException(refuse.Why);
            case MakingTurn.Wait wait:
                Begin($"waiting for {wait.For}");
                await RestAsync(wait.For, ct);
                return true;
            case MakingTurn.Do turn:
                await StepAsync(turn.Step, seen, ct);
                return true;
            default:
                return false;
        }
    }

    private async Task<bool> DeleteNextAsync(CancellationToken ct)
    {
        if (RemovalRules.Next(await cloud.LookAsync(journal.Notes, everything: true, ct)) is not { } thing)
        {
            return false;
        }

        if (Begin($"{thing.Word} {thing.Id}") || thing.Going)
        {
            await RestAsync($"{thing.Word} {thing.Id} to be gone", ct);
        }

        if (!thing.Going)
        {
            await cloud.DeleteAsync(thing, ct);
        }

        return true;
    }

    /// <summary>A call that failed for the moment, or whose end is not known: it is looked at again what became of it.</summary>
    private async Task<bool> PatientlyAsync(Func<Task<bool>> turn, CancellationToken ct)
    {
        try
        {
            var goesOn = await turn();
            _failures = 0;
            return goesOn;
        }
        catch (CloudException e) when (e.Failure is CloudFailure.Transient or CloudFailure.LostReply or CloudFailure.Unreachable && ++_failures <= patience.Failures)
        {
            tell(new MakingNews(_now?.What ?? "look", MakingNews.Said, e.Message));
            await Task.Delay(patience.LookAgainAfter, time, ct);
            return true;
        }
    }

    private async Task StepAsync(MakingStep step, MakingSight seen, CancellationToken ct)
    {
        if (Begin(MakingWords.Of(step)))
        {
            // It was done, and does not show yet.
            await RestAsync($"{MakingWords.Of(step)} to be seen", ct);
        }

        var notes = journal.Notes;
        switch (step)
        {
            case MakingStep.Recognise:
                journal.Write(notes.On(seen.Machines[0].Id));
                break;
            case MakingStep.Install:
                await hands.Install(seen.Machines[0], notes, ct);
                journal.Write(notes with { Installed = true });
                break;
            case MakingStep.Pin:
                await hands.Pin(notes, ct);
                journal.Write(notes with { Pinned = true });
                break;
            case MakingStep.Forget:
                journal.Write(notes.WithoutMachine());
                break;
            case MakingStep.Finish:
                journal.Write(notes with { FinishedAt = time.GetUtcNow() });
                break;
            default:
                await cloud.DoAsync(step, seen, journal, ct);
                break;
        }
    }

    private async Task RestAsync(string what, CancellationToken ct)
    {
        if (_now is var (_, since) && Instant.Now(time) - since > patience.Longest)
        {
            throw new MakingException($"{what}: not in {patience.Longest.TotalMinutes:0.#} minutes. What was made is kept and written down; run this again to go on");
        }

        await Task.Delay(patience.LookAgainAfter, time, ct);
    }

    /// <returns>True: it is what was done last, too.</returns>
    private bool Begin(string what)
    {
        if (_now?.What == what)
        {
            return true;
        }

        End();
        _now = (what, Instant.Now(time));
        tell(new MakingNews(what, MakingNews.Begun));
        return false;
    }

    private void End()
    {
        if (_now is var (what, since))
        {
            tell(new MakingNews(what, MakingNews.DoneState, Took: (Instant.Now(time) - since).TotalSeconds));
            _now = null;
        }
    }
}
