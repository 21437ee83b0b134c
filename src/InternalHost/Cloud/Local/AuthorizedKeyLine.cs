using System.Collections.Immutable;
using Common;

namespace InternalHost.Cloud.Local;

/// <summary>
/// Lines of authorized_keys that confine what a key may do (sshd(8), AUTHORIZED_KEYS FILE FORMAT). An sshd of one uid has only these:
/// there is one account, so nothing can be said by Match User.
/// </summary>
[PureCore]
internal static class AuthorizedKeyLine
{
    /// <summary>
    /// sshd knows no <c>permitlisten="none"</c> for a key, and without one a key may listen anywhere. So the key is given a port that
    /// the server's own PermitListen never holds: both must agree, and never do.
    /// </summary>
    private const string NoListen = "127.0.0.1:1";

    /// <summary>A site: listens on its own loopback ports, opens its loop probe and the agent; no command, no terminal.</summary>
    public static string Site(string publicKey, IEnumerable<int> forwardPorts, int loopPort, int? agentPort) =>
        Line(
            [
                .. forwardPorts.Append(loopPort).Distinct().Select(p => $"permitlisten=\"127.0.0.1:{p}\""),
                .. new[] { loopPort, agentPort }.OfType<int>().Select(p => $"permitopen=\"127.0.0.1:{p}\""),
                "command=\"echo 'This account carries a tunnel, nothing else.' >&2; exit 1\"",
            ],
            publicKey);

    /// <summary>A person: jumps to the permitted services; a plain login is answered with one sentence.</summary>
    public static string Person(string publicKey, IEnumerable<int> ports, string sentence = "This host only passes you on: use ssh -J.") =>
        Line(
            [
                .. ports.Distinct().Select(p => $"permitopen=\"127.0.0.1:{p}\""),
                $"permitlisten=\"{NoListen}\"",
                $"command=\"echo '{Plain(sentence)}'\"",
            ],
            publicKey);

    /// <summary>Somebody who works on the host itself: a shell and commands, no forwarding. The home's own sshd.</summary>
    public static string Shell(string publicKey) => $"restrict,pty {publicKey.Trim()}";

    /// <summary>What PermitListen of the server must hold for these lines to work: all that any of them may listen on.</summary>
    public static ImmutableArray<string> Listens(IEnumerable<string> lines) =>
        [.. lines.SelectMany(Listens).Where(l => l != NoListen).Distinct().Order(StringComparer.Ordinal)];

    private static IEnumerable<string> Listens(string line)
    {
        const string option = "permitlisten=\"";
        for (var at = line.IndexOf(option, StringComparison.Ordinal); at >= 0; at = line.IndexOf(option, at, StringComparison.Ordinal))
        {
            at += option.Length;
            var end = line.IndexOf('"', at);
            if (end < 0)
            {
                yield break;
            }

            yield return line[at..end];
        }
    }

    private static string Line(IEnumerable<string> options, string publicKey) =>
        $"restrict,port-forwarding,{string.Join(',', options)} {publicKey.Trim()}";

    /// <summary>Inside two kinds of quotes nothing but plain text is let through.</summary>
    private static string Plain(string text) => string.Concat(text.Where(c => c is >= ' ' and <= '~' and not ('\'' or '"' or '\\')));
}
