using System.Collections.Immutable;
using System.Net;
using Bastion.DeadMan;
using Bastion.Logins;
using Common.Logins;
using Common.Logins.Recording;
using Bastion.Sessions;
using Common.Agent;
using Common.Alerts;
using Common.Alerts.Test;
using Common.Journal;
using Common.Time;

namespace Bastion.Agent;

/// <summary>What the agent answers on its port. Where it cannot know, it says so: not known is never "nobody".</summary>
internal sealed class AgentAnswers(
    PresentSessions sessions, LoginEvents events, AskingSite site, DrainService drain, AptWatch apt, OutboxService outbox, ChannelTests tests, DeadManService? deadMan, Database database, string boot, string version, TimeProvider time)
{
    private const int MostIds = 100;

    public async Task<AgentReply> AnswerAsync(AgentRequest request, IPEndPoint asker, CancellationToken ct)
    {
        try
        {
            return request.Op switch
            {
                "sessions" => await StateAsync(ct),
                "health" => await StateAsync(ct) with { Refused = [.. outbox.Snapshot.Refused.Select(l => new AgentChannel(l.Channel, l.Recipient is null, l.Code, l.Reason))] },
                "events" => await EventsAsync(request.Since, ct),
                "egress" => await EgressAsync(asker, ct),
                "drain" => await DrainAsync(ct),
                "undrain" => await UndrainAsync(ct),
                "hold" => await HoldAsync(request.Seconds, ct),
                "test-alerts" => Test(request.Channel),
                "look-at-tests" => new AgentReply(true, Version: version) { Tests = tests.Look([.. (request.Ids ?? []).Take(MostIds)]) },
                _ => new AgentReply(false, "unknown op; known: sessions, events, egress, drain, undrain, hold, health, test-alerts, look-at-tests", Version: version),
            };
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return new AgentReply(false, $"a file cannot be written in the agent's folder, so {request.Op} has no effect", Version: version);
        }
    }

    private async Task<AgentReply> EventsAsync(long? since, CancellationToken ct)
    {
        // Asked for what it does: the record is read up to now, and who has gone is noted.
        var known = await sessions.NowAsync(ct) is not null;
        var (page, last) = known ? events.After(since) : (null, (long?)null);
        return new AgentReply(true, known ? null : Unseen(), Version: version) { Events = page, Last = last };
    }

    private async Task<AgentReply> EgressAsync(IPEndPoint asker, CancellationToken ct)
    {
        var address = site.SeenFrom(asker, await sessions.NowAsync(ct) ?? []);
        return new AgentReply(true, address is null ? "not known from where this site's tunnel comes" : null, Version: version) { Egress = address?.ToString() };
    }

    private string Unseen() => $"logins cannot be seen: {sessions.Trouble ?? "not read up to now"}";

    private AgentReply Test(string? channel)
    {
        var (sent, problem) = tests.Start(channel);
        return new AgentReply(problem is null, problem, Version: version) { Tests = sent };
    }

    private async Task<AgentReply> DrainAsync(CancellationToken ct)
    {
        drain.Drain();
        outbox.EndQuiet();
        if (!drain.Settled)
        {
            await Task.Delay(DrainMachine.Settle, time, ct);
        }

        var state = await StateAsync(ct);
        return state with { Drained = drain.Settled && state is { Sessions: 0, Outbox: 0, AptIdle: true } };
    }

    private Task<AgentReply> UndrainAsync(CancellationToken ct)
    {
        drain.Undrain();
        return StateAsync(ct);
    }

    /// <summary>Keeps the dead man off for as long as is said; 0 lifts it.</summary>
    private async Task<AgentReply> HoldAsync(double? seconds, CancellationToken ct)
    {
        if (deadMan is null)
        {
            return new AgentReply(false, "this bastion has no dead man: it stays up by itself", Version: version);
        }

        if (seconds is not { } length || !(length >= 0 && length <= HoldFile.Longest.TotalSeconds))
        {
            return new AgentReply(false, $"hold needs seconds, 0 to {HoldFile.Longest.TotalSeconds}", Version: version);
        }

        deadMan.Hold(TimeSpan.FromSeconds(length));
        return await StateAsync(ct);
    }

    private async Task<AgentReply> StateAsync(CancellationToken ct)
    {
        var open = (await sessions.NowAsync(ct))?.Where(OpenSessions.Counts).ToImmutableArray();
        var now = Instant.Now(time);
        return new AgentReply(
            true,
            sessions.Trouble is { } trouble ? $"logins cannot be seen: {trouble}" : null,
            open?.Length,
            open?.Select(s => Session(s, now)).ToList(),
            false,
            outbox.Snapshot.Pending,
            apt.Idle,
            database.Read(c => SessionStore.PeopleSince(c, boot)),
            version,
            deadMan?.OffIn.TotalSeconds,
            deadMan?.HeldFor.TotalSeconds);
    }

    private AgentSession Session(OpenSession session, Instant now)
    {
        var (alert, told) = events.Told(session.Login);
        return new AgentSession(session.Name, session.Device, session.Peer.ToString(), Math.Max(0, (now - session.Since).TotalSeconds)) { Event = session.Login, Alert = alert, Told = told };
    }
}
