using System.Net;

namespace Common.Logins;

/// <summary>
/// Logins in sshd's log. Where two methods are asked for, the log says the last when it accepts, and the one before in a line of its own: joined
/// here, so that a key and a code are not taken for a code alone.
/// </summary>
internal sealed class LogSightings
{
    /// <summary>Only what somebody has proven is remembered, so strangers cannot fill it; many sites may come at once.</summary>
    private const int MostPartial = 256;

    /// <summary>Oldest first; the reading loop's own.</summary>
    private readonly LinkedList<(int? Pid, IPEndPoint? From, AuthMethod Method)> _partial = [];

    /// <summary>Null: the entry is no login.</summary>
    public LoginSighting? Of(LogEntry entry)
    {
        if (entry.Line.Message is SshdMessage.Partial partial)
        {
            Remember((entry.Line.Pid, partial.From, new AuthMethod(partial.Method, partial.Key)));
        }

        return LoginSighting.Of(entry) is { Pid: not null, Login.From: not null } sighting
            ? sighting with { Login = sighting.Login with { Methods = [.. Before(sighting), .. sighting.Login.Methods] } }
            : LoginSighting.Of(entry);
    }

    private IEnumerable<AuthMethod> Before(LoginSighting sighting) =>
        _partial.Where(p => p.Pid == sighting.Pid && sighting.Login.From!.Equals(p.From)).Select(p => p.Method);

    private void Remember((int? Pid, IPEndPoint? From, AuthMethod Method) partial)
    {
        // A batch that could not be kept is read again.
        if (_partial.Contains(partial))
        {
            return;
        }

        _partial.AddLast(partial);
        while (_partial.Count > MostPartial)
        {
            _partial.RemoveFirst();
        }
    }
}
