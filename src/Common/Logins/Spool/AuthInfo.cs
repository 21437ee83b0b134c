using System.Collections.Immutable;

namespace Common.Logins.Spool;

/// <summary>
/// Reads <c>SSH_AUTH_INFO_0</c> (auth2.c <c>auth2_update_session_info</c>): a line for each completed method, <c>publickey ssh-ed25519 AAAA...</c>,
/// <c>keyboard-interactive</c>, <c>password</c>. The key is there in full, so that its fingerprint is computed, not believed.
/// </summary>
[PureCore]
internal static class AuthInfo
{
    private const int MostMethods = 16;

    public static ImmutableArray<AuthMethod> Read(string text) =>
        [.. text.Split('\n', StringSplitOptions.RemoveEmptyEntries).Take(MostMethods).Select(Method)];

    private static AuthMethod Method(string line)
    {
        var words = line.Split(' ');
        return new AuthMethod(words[0], words.Length >= 3 ? KeyBlob.Read(words[1], words[2]) : null);
    }
}
