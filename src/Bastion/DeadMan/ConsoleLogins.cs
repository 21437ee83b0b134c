using Common;

namespace Bastion.DeadMan;

/// <summary>
/// People at the serial console or the provider's screen, as logind writes them (<c>/run/systemd/sessions/ID</c>, lines
/// <c>CLASS=user</c>, <c>REMOTE=0</c>, <c>STATE=active</c>). Sessions of sshd are remote and counted elsewhere.
/// </summary>
internal sealed class ConsoleLogins(string folder = "/run/systemd/sessions")
{
    public bool Any
    {
        get
        {
            try
            {
                return Directory.Exists(folder) && Directory.EnumerateFiles(folder).Any(f => ConsoleSession.IsPerson(File.ReadAllText(f)));
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                return false;   // one that ended while we looked; the next look is seconds away
            }
        }
    }
}

[PureCore]
internal static class ConsoleSession
{
    public static bool IsPerson(string file)
    {
        var lines = file.Split('\n');
        return lines.Contains("CLASS=user") && lines.Contains("REMOTE=0") && !lines.Contains("STATE=closing");
    }
}
