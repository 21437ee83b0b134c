using System.Collections.Immutable;

namespace Common.Logins.Spool;

/// <summary>What the PAM hook wrote down.</summary>
/// <param name="Name">Of its file: one event, however often it is read.</param>
/// <param name="Boot">Of the machine, as /proc says it.</param>
/// <param name="Process">The hook's parent, whose session this is: sshd's monitor, login, su or sudo.</param>
/// <param name="Evicted">The earlier sshd processes of a site's account that were ended for this one.</param>
internal sealed record HookEvent(string Name, string Boot, int Process, Login Login, ImmutableArray<int> Evicted)
{
    public LoginSighting Sighting => new(Login, $"hook/{Name}", Boot, Process, null, false);
}
