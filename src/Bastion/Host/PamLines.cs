using System.Text;
using Common;

namespace Bastion.Host;

/// <summary>
/// Our lines in the files of /etc/pam.d. Each carries a mark, so that taking them out gives back the very file that was there.
/// </summary>
[PureCore]
internal static class PamLines
{
    public const string Hook = "/usr/lib/bastion/hook";
    public const string Nologin = Configuration.AgentOptions.DefaultNologinPath;
    private const string Mark = "# bastion";
    private const string Was = "#bastion-was# ";

    /// <summary>Every program that opens a session for somebody; su-l includes su.</summary>
    public static readonly IReadOnlyList<string> Services = ["sshd", "login", "su", "sudo", "sudo-i"];

    /// <summary>
    /// The hook comes before everything else, so before any pam_env, which may set LD_PRELOAD from a file of the user's for it. Optional:
    /// a session module that fails costs the login its forwarding. Not at close, when pam_env has run (decision 0012). su and sudo run as the user who calls them: seteuid.
    /// </summary>
    public static string Install(string text, string service)
    {
        var lines = Remove(text).Split('\n').ToList();
        if (service == "sshd")
        {
            KeepSitesWhileDraining(lines);
        }

        var first = lines.FindIndex(l => l.Trim().Length > 0 && !l.TrimStart().StartsWith('#'));
        lines.Insert(first < 0 ? 0 : first, HookLine(service));
        return string.Join('\n', lines);
    }

    public static string Remove(string text) => string.Join('\n', text.Split('\n')
        .Where(l => !l.EndsWith(Mark, StringComparison.Ordinal))
        .Select(l => l.StartsWith(Was, StringComparison.Ordinal) ? l[Was.Length..] : l));

    public static string HookLine(string service) =>
        $"session optional pam_exec.so quiet type=open_session{(service is "sshd" or "login" ? "" : " seteuid")} {Hook} {Mark}";

    /// <summary>In the place of the distribution's line: while the VM drains, people are kept out and sites are not (decision 0005).</summary>
    private static void KeepSitesWhileDraining(List<string> lines)
    {
        var stock = lines.FindIndex(l => l.TrimStart().StartsWith("account", StringComparison.Ordinal) && l.Contains("pam_nologin.so", StringComparison.Ordinal));
        var text = new StringBuilder();
        text.Append("account required pam_nologin.so ").Append(Mark).Append('\n');
        text.Append("account [success=1 default=ignore] pam_succeed_if.so quiet user ingroup ").Append(Accounts.SiteGroup).Append(' ').Append(Mark).Append('\n');
        text.Append("account required pam_nologin.so file=").Append(Nologin).Append(' ').Append(Mark);
        if (stock < 0)
        {
            var account = lines.FindIndex(l => l.Contains("common-account", StringComparison.Ordinal) || l.TrimStart().StartsWith("account", StringComparison.Ordinal));
            lines.Insert(Math.Max(account, 0), text.ToString());
        }
        else
        {
            lines[stock] = text + "\n" + Was + lines[stock];
        }
    }
}
