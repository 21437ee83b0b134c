using System.Collections.Immutable;
using System.Net;
using Common.Agent;

namespace InternalHost.Logins;

/// <summary>Who is logged in at the bastion, or was of late, each with what became of the alert.</summary>
internal sealed class BastionLogins(Func<string, CancellationToken, Task<AgentReply?>> ask)
{
    /// <returns>Null: it does not say. An agent that knows no alerts says who is there, and not that it was told.</returns>
    public async Task<ImmutableArray<AgentEvent>?> NowAsync(CancellationToken ct)
    {
        if (await ask("sessions", ct) is not { Ok: true, Sessions: not null, Who: { } who })
        {
            return null;
        }

        var recent = await ask("events", ct) is { Ok: true, Events: { } events } ? events : [];
        return [.. who.Select(Open), .. recent.Where(e => e is { Open: false, Kind: "ssh", AgeSeconds: not null } && e.Role != "site")];
    }

    private static AgentEvent Open(AgentSession session) => new(
        session.Event ?? 0, "ssh", "", session.Name, session.Name, session.Device,
        IPEndPoint.TryParse(session.From, out var from) ? from.Address.ToString() : null, session.AgeSeconds, Open: true)
    {
        Alert = session.Alert,
        Told = session.Told,
    };
}
