using System.Collections.Immutable;
using System.Text;
using Common;

namespace InternalHost.Cloud.Making;

/// <summary>The host key that a machine is born with, where its provider has no console that we can read; replaced over the first contact.</summary>
/// <param name="Private">In OpenSSH's own form.</param>
internal sealed record OneTimeHostKey(string Private, string Public);

/// <summary>
/// What cloud-init is told at the first boot: sshd listens on the bastion's ports from its first second, so that port 22 is opened to
/// nobody, and the host key survives being made again out of a snapshot. All else is <c>bastion install</c>'s.
/// </summary>
[PureCore]
internal static class UserData
{
    /// <summary>EC2's limit for the text; DigitalOcean's is higher.</summary>
    public const int Longest = 16 * 1024;

    /// <summary>In the place that <c>bastion install</c> then takes for its own.</summary>
    public const string SshdFile = "/etc/ssh/sshd_config.d/00-bastion.conf";

    public static string Render(ImmutableArray<int> ports, OneTimeHostKey? hostKey)
    {
        var text = new StringBuilder("#cloud-config\n");
        text.Append("write_files:\n");
        File(text, SshdFile, [.. ports.Select(p => $"Port {p}"), "PasswordAuthentication no"]);
        File(text, "/etc/cloud/cloud.cfg.d/99-bastion.cfg", ["ssh_deletekeys: false"]);
        if (hostKey is not null)
        {
            text.Append("ssh_keys:\n  ed25519_private: |\n");
            Block(text, "    ", hostKey.Private.TrimEnd('\n').Split('\n'));
            text.Append($"  ed25519_public: {hostKey.Public}\n");
        }

        // sshd may have started before its file was there.
        text.Append("runcmd:\n  - [systemctl, restart, ssh]\n");
        return text.ToString();
    }

    private static void File(StringBuilder text, string path, IEnumerable<string> lines)
    {
        text.Append($"  - path: {path}\n    permissions: '0644'\n    content: |\n");
        Block(text, "      ", lines);
    }

    private static void Block(StringBuilder text, string margin, IEnumerable<string> lines)
    {
        foreach (var line in lines)
        {
            text.Append(margin).Append(line).Append('\n');
        }
    }
}
