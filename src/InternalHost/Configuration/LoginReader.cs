using Common;
using Common.Configuration;

namespace InternalHost.Configuration;

/// <summary>The section <c>logins</c>: seldom needed, because both places are found by themselves.</summary>
[PureCore]
internal static class LoginReader
{
    public static LoginOptions Read(ConfigurationSection section)
    {
        var options = new LoginOptions(section.Optional("log", Log), section.Optional("spool", Spool));
        section.Close();
        return options;
    }

    private static Reading<string> Log(string text) => text is LoginOptions.Journal or LoginOptions.None ? text
        : SiteReader.FullPath(text) is { Problem: null } path ? path : Reading.Bad("must be journal, none, or the full path of sshd's log file");

    private static Reading<string> Spool(string text) => text is LoginOptions.None ? text
        : SiteReader.FullPath(text) is { Problem: null } path ? path : Reading.Bad("must be none, or the full path of the hook's folder");
}
