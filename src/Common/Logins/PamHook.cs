namespace Common.Logins;

/// <summary>
/// The login hook's line in the files of /etc/pam.d. It comes before every other rule, so before any pam_env, which may set LD_PRELOAD from a
/// file of the user's for it. Optional: a session module that fails costs the login its forwarding. Not at close, when pam_env has run
/// (decision 0012). Everything of ours ends with the mark, so that taking it out gives back the very file that was there.
/// </summary>
/// <param name="Program">The hook's path.</param>
/// <param name="Mark">A comment of one program's own: <c># bastion</c>.</param>
[PureCore]
public sealed record PamHook(string Program, string Mark)
{
    /// <summary>Every program that opens a session for somebody; su-l includes su.</summary>
    public static readonly IReadOnlyList<string> Services = ["sshd", "login", "su", "sudo", "sudo-i"];

    /// <summary>su and sudo run as the user who calls them: seteuid.</summary>
    public string Line(string service) =>
        $"session optional pam_exec.so quiet type=open_session{(service is "sshd" or "login" ? "" : " seteuid")} {Program} {Mark}";

    /// <summary>Safe to repeat.</summary>
    public string Put(string text, string service)
    {
        var lines = Remove(text).Split('\n').ToList();
        var first = lines.FindIndex(IsRule);
        lines.Insert(first < 0 ? 0 : first, Line(service));
        return string.Join('\n', lines);
    }

    public string Remove(string text) => string.Join('\n', text.Split('\n').Where(l => !l.EndsWith(Mark, StringComparison.Ordinal)));

    /// <summary>What is included may hold session rules too.</summary>
    public static bool IsSession(string line) => line.TrimStart().TrimStart('-') is var rule
        && (rule.StartsWith("session", StringComparison.Ordinal) || rule.StartsWith("@include", StringComparison.Ordinal));

    private static bool IsRule(string line) => line.Trim().Length > 0 && !line.TrimStart().StartsWith('#');
}
