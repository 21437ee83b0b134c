using Common.Time;

namespace Common.Logins;

/// <summary>A login that has been recorded, as far as it concerns whether a second source tells of the same.</summary>
/// <param name="At">Monotonic, of <paramref name="Boot"/>: when it was recorded.</param>
internal sealed record KnownLogin(long Seq, string Boot, int? Pid, Login Login, Instant At);

/// <summary>
/// Two sources, one login. Whichever is first is told and recorded at once; the second is joined to it by boot, process and peer, and
/// completes it. The log without the hook is remarkable (somebody changed PAM, or sshd does not use it); the hook without the log is not.
/// </summary>
[PureCore]
internal static class Reconciler
{
    /// <summary>The hook writes before sshd goes on, the log within a second: what is not there by then has not been written.</summary>
    public static readonly TimeSpan HookWithin = TimeSpan.FromSeconds(10);

    /// <param name="ofProcess">Recorded logins of the sighting's boot and process, newest first: numbers of processes come again.</param>
    /// <returns>The one that was seen; null: it is new.</returns>
    public static KnownLogin? Same(LoginSighting sighting, IEnumerable<KnownLogin> ofProcess) => ofProcess.FirstOrDefault(known =>
        (known.Login.Sources & sighting.Login.Sources) == LoginSources.None
        && known.Login.Kind == LoginKind.Ssh && sighting.Login.Kind is LoginKind.Ssh
        && (known.Login.From is null || sighting.Login.From is null || known.Login.From.Equals(sighting.Login.From)));

    /// <summary>What both know together. The hook knows all methods and the key itself; a name that the hook could not tell is the log's.</summary>
    public static Login Completed(Login known, Login seen)
    {
        var (hook, log) = seen.Sources.HasFlag(LoginSources.Hook) ? (seen, known) : (known, seen);
        return hook with
        {
            User = hook.Ambiguous ? log.User : hook.User,
            From = hook.From ?? log.From,
            Methods = hook.Methods.IsEmpty ? log.Methods : hook.Methods,
            Ambiguous = hook.Ambiguous || log.Ambiguous,
            Sources = hook.Sources | log.Sources,
        };
    }

    /// <param name="login">One whose hook is awaited.</param>
    /// <param name="caughtUp">Everything that the hook has written has been read.</param>
    public static bool IsWithoutHook(KnownLogin login, string boot, Instant now, bool caughtUp) =>
        caughtUp && (login.Boot != boot || now - login.At >= HookWithin);
}
