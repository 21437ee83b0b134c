using System.Collections.Immutable;
using System.Net;

namespace InternalHost.Cloud.Making;

/// <summary>A new machine, and by what it is known.</summary>
/// <param name="HostKeys">Accepted, and no other.</param>
/// <param name="Accounts">Tried in this order; each is root, or may sudo without a password.</param>
internal sealed record SetupTarget(ImmutableArray<IPAddress> Addresses, ImmutableArray<int> Ports, ImmutableArray<string> HostKeys, ImmutableArray<string> Accounts);

/// <summary>Port to the shell of a machine that is being set up.</summary>
internal interface ISetupShell
{
    /// <summary>Runs a script as root there, as soon as the machine lets us in.</summary>
    /// <param name="input">What it reads.</param>
    /// <param name="onLine">Each line that it prints, as it comes.</param>
    /// <returns>What it printed on its standard output.</returns>
    /// <exception cref="MakingException">Nobody answers, another host key is shown, nobody is let in, or the script failed.</exception>
    Task<string> RunAsync(SetupTarget target, string script, ReadOnlyMemory<byte> input, Action<string> onLine, CancellationToken ct);

    /// <summary>The host key that it proves to have; nothing is sent and nobody logs in. Null: nobody answers there as SSH does.</summary>
    Task<string?> OfferedAsync(SetupTarget target, CancellationToken ct);
}
