using System.Text;

namespace Common.Tests.Logins.Spool;

/// <summary>Bytes as infra/bastion/hook writes them.</summary>
internal static class HookFile
{
    public const string Boot = "9d912f25-ca01-4677-bb59-a2cf6ea63fa7";
    public const string Key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIG/j2pIHgdN7RhpqLOIn9n2XUc2A6Zb/JEHnPXhcRbZ6";
    public const string Fingerprint = "SHA256:j3JXVQalxbROTHEHo91jBYywUgLQQDYEQB8v4syC5so";

    public static readonly string[] Ssh =
    [
        "SSH_AUTH_INFO_0=publickey " + Key + "\n", "SSH_CONNECTION=198.51.100.7 40000 192.0.2.1 49022", "PAM_SERVICE=sshd", "PAM_RHOST=liar.example",
        "PAM_USER=alice", "PAM_TTY=ssh", "PAM_TYPE=open_session",
    ];

    public static string Name(int pid, int ticks = 100) => $"{Boot}.{pid}.{ticks}";

    public static byte[] Of(int pid, string[]? variables = null, int ticks = 100, int monitor = 4000, string evicted = "") =>
        Of(pid, Encoding.UTF8.GetBytes(string.Concat((variables ?? Ssh).Select(v => v + "\0"))), ticks, monitor, evicted);

    public static byte[] Of(int pid, byte[] environment, int ticks = 100, int monitor = 4000, string evicted = "") =>
        [.. Encoding.ASCII.GetBytes($"bastion-hook 1 boot={Boot} pid={pid} monitor={monitor} ticks={ticks} evicted={evicted}\n"), .. environment];
}
