using System.Collections.Immutable;
using System.Net;

namespace Common.Logins;

/// <summary>What kind of door somebody came through. Stored: numbers are fixed.</summary>
public enum LoginKind
{
    Unknown = 0,
    Ssh = 1,

    /// <summary><c>login</c>: the serial line or the provider's console.</summary>
    Console = 2,

    /// <summary>Somebody who is in already became another user.</summary>
    Su = 3,
    Sudo = 4,
}

/// <summary>Who saw a login. Stored: numbers are fixed.</summary>
[Flags]
public enum LoginSources
{
    None = 0,

    /// <summary>The PAM hook, by its spool.</summary>
    Hook = 1,

    /// <summary>sshd's log.</summary>
    Log = 2,
}

/// <summary>One completed method of authentication.</summary>
/// <param name="Name">As sshd names it: publickey, password, keyboard-interactive, with or without <c>/pam</c>.</param>
internal sealed record AuthMethod(string Name, PublicKey? Key = null);

/// <summary>Somebody got in: what one of the sources, or both together, say about it. All text is raw: it is sanitised where it is shown.</summary>
/// <param name="Service">PAM's name for the program: sshd, login, su, su-l, sudo, sudo-i.</param>
/// <param name="User">The account; for su and sudo the one that was become.</param>
/// <param name="From">The numeric peer of an ssh login; null: not known, or no network was involved.</param>
/// <param name="Methods">In the order of completion. The log alone may know only the last; empty: not known.</param>
/// <param name="Ambiguous">It can be read in more than one way, or not wholly: somebody is up to something.</param>
internal sealed record Login(LoginKind Kind, string Service, string User, IPEndPoint? From, ImmutableArray<AuthMethod> Methods, bool Ambiguous = false)
{
    /// <summary>su, sudo: the account that asked. Null: not known.</summary>
    public string? By { get; init; }

    /// <summary>Of a console, su or sudo; null: none (PAM says <c>ssh</c> for every ssh login, which says nothing).</summary>
    public string? Tty { get; init; }

    public LoginSources Sources { get; init; }

    /// <summary>Earlier sshd processes of the same site account that the hook ended for this login.</summary>
    public int Evicted { get; init; }

    /// <summary>The key that was proven, with its certificate where it has one; null: none was, or it is not known which.</summary>
    public PublicKey? Key => Methods.FirstOrDefault(m => m.Name == "publickey" && m.Key is not null)?.Key;

    /// <summary>As one word: <c>publickey</c>, <c>publickey,keyboard-interactive</c>; empty: not known.</summary>
    public string Method => string.Join(',', Methods.Select(m => m.Name));

    /// <summary>An ssh login as its log line says it.</summary>
    public static Login Of(SshdMessage.Accepted accepted) =>
        new(LoginKind.Ssh, "sshd", accepted.User, accepted.From, [new AuthMethod(accepted.Method, accepted.Key)], accepted.Ambiguous) { Sources = LoginSources.Log };
}
