using System.Collections.Immutable;
using System.Net.Sockets;
using Bastion.Logins;
using Bastion.Sessions;
using Common.Agent;
using Common.Alerts;
using Common.Journal;
using Common.Time;

namespace Bastion.Agent;

/// <summary>What the agent answers on its port. Where it cannot know, it says so: not known is never "nobody".</summary>
internal sealed class AgentAnswers(
    LoginService logins, SessionBook sessions, DrainService drain, AptWatch apt, OutboxService outbox, Database database, string boot, string version, TimeProvider time)
{
    private static readonly TimeSpan CatchUpFor = TimeSpan.FromSeconds(2);

    public async Task<AgentReply> AnswerAsync(AgentRequest request, CancellationToken ct)
    {
        try
        {
            return request.Op switch
            {
                "sessions" or "health" => await StateAsync(ct),
                "drain" => await DrainAsync(ct),
                "undrain" => await UndrainAsync(ct),
                _ => new AgentReply(false, "unknown op; known: sessions, drain, undrain, health", Version: version),
            };
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return new AgentReply(false, "the door cannot be moved: the file that keeps people out cannot be written", Version: version);
        }
    }

    private async Task<AgentReply> DrainAsync(CancellationToken ct)
    {
        drain.Drain();
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

    private async Task<AgentReply> StateAsync(CancellationToken ct)
    {
        var open = await IsCaughtUpAsync(ct) ? sessions.Now()?.Where(OpenSessions.Counts).ToImmutableArray() : null;
        var now = Instant.Now(time);
        return new AgentReply(
            true,
            logins.Trouble is { } trouble ? $"logins cannot be seen: {trouble}" : null,
            open?.Length,
            open?.Select(s => new AgentSession(s.Name, s.Device, s.Peer.ToString(), Math.Max(0, (now - s.Since).TotalSeconds))).ToList(),
            false,
            outbox.Snapshot.Pending,
            apt.Idle,
            database.Read(c => LoginStore.PeopleSince(c, boot)),
            version);
    }

    private async Task<bool> IsCaughtUpAsync(CancellationToken ct)
    {
        using var timeout = new CancellationTokenSource(CatchUpFor, time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(ct, timeout.Token);
        try
        {
            await logins.CatchUpAsync(both.Token);
            return logins.Trouble is null;
        }
        catch (OperationCanceledException) when (!ct.IsCancellationRequested)
        {
            return false;
        }
    }
}
