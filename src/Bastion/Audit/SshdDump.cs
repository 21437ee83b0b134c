using System.Collections.Immutable;
using Common;

namespace Bastion.Audit;

/// <summary>Reads what <c>sshd -T</c> prints: <c>keyword value</c> a line, a keyword as often as it has values (port, hostkey).</summary>
[PureCore]
internal static class SshdDump
{
    public static ImmutableDictionary<string, ImmutableArray<string>> Parse(string text) => text.Split('\n')
        .Select(l => l.Split(' ', 2)).Where(p => p.Length == 2)
        .GroupBy(p => p[0], p => p[1].Trim(), StringComparer.Ordinal)
        .ToImmutableDictionary(g => g.Key, g => g.ToImmutableArray(), StringComparer.Ordinal);
}
