using System.Collections.Immutable;
using Common;

namespace Bastion.Host;

/// <summary>What differs between two short texts, line by line: <c>-</c> goes, <c>+</c> comes, two blanks stay.</summary>
[PureCore]
internal static class TextDiff
{
    private const int Context = 2;

    public static ImmutableArray<string> Lines(string? before, string? after)
    {
        var (old, now) = (Split(before), Split(after));
        var common = CommonLengths(old, now);
        var all = new List<string>();
        for (int i = 0, j = 0; i < old.Length || j < now.Length;)
        {
            if (i < old.Length && j < now.Length && old[i] == now[j])
            {
                all.Add("  " + old[i]);
                (i, j) = (i + 1, j + 1);
            }
            else if (i < old.Length && (j == now.Length || common[i + 1, j] >= common[i, j + 1]))
            {
                all.Add("- " + old[i++]);
            }
            else
            {
                all.Add("+ " + now[j++]);
            }
        }

        return [.. all.Where((_, at) => IsNear(all, at))];
    }

    private static bool IsNear(List<string> all, int at)
    {
        for (var i = Math.Max(0, at - Context); i <= Math.Min(all.Count - 1, at + Context); i++)
        {
            if (all[i][0] != ' ')
            {
                return true;
            }
        }

        return false;
    }

    private static string[] Split(string? text) => string.IsNullOrEmpty(text) ? [] : text.TrimEnd('\n').Split('\n');

    /// <summary>Of the longest common subsequence from each pair of places on.</summary>
    private static int[,] CommonLengths(string[] old, string[] now)
    {
        var lengths = new int[old.Length + 1, now.Length + 1];
        for (var i = old.Length - 1; i >= 0; i--)
        {
            for (var j = now.Length - 1; j >= 0; j--)
            {
                lengths[i, j] = old[i] == now[j] ? lengths[i + 1, j + 1] + 1 : Math.Max(lengths[i + 1, j], lengths[i, j + 1]);
            }
        }

        return lengths;
    }
}
