using System.Text;
using Common;
using Common.Logins;

namespace Bastion.Host;

/// <summary>Our lines in the files of /etc/pam.d: the login hook, and for sshd who is kept out while the VM drains.</summary>
[PureCore]
internal static class PamLines
{
    public const string Hook = "/usr/lib/bastion/hook";
    public const string Nologin = Configuration.AgentOptions.DefaultNologinPath;
    private const string Mark = "# bastion";
    private const string Was = "#bastion-was# ";

    private static readonly PamHook Pam = new(Hook, Mark);

    public static string Install(string text, string service)
    {
        var hooked = Pam.Put(Remove(text), service);
        return service == "sshd" ? KeepSitesWhileDraining(hooked) : hooked;
    }

    public static string Remove(string text) => string.Join('\n', Pam.Remove(text).Split('\n')
        .Select(l => l.StartsWith(Was, StringComparison.Ordinal) ? l[Was.Length..] : l));

    /// <summary>In the place of the distribution's line: while the VM drains, people are kept out and sites are not (decision 0005).</summary>
    private static string KeepSitesWhileDraining(string sshd)
    {
        var lines = sshd.Split('\n').ToList();
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

        return string.Join('\n', lines);
    }
}
