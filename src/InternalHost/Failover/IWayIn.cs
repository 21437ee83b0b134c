using System.Collections.Immutable;
using System.Net;
using Common.Agent;

namespace InternalHost.Failover;

/// <summary>The tunnel and the bastion's agent behind it, as the controller sees them.</summary>
internal interface IWayIn
{
    /// <summary>Dial these addresses and keep the tunnel; its news carry <paramref name="run"/>.</summary>
    void Open(int run, ImmutableArray<IPAddress> addresses);

    void Close();

    /// <summary>Asks the agent through the tunnel. Null: no answer, so nothing is known.</summary>
    Task<AgentReply?> AskAsync(string op, CancellationToken ct);
}
