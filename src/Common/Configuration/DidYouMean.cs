namespace Common.Configuration;

/// <summary>The known word nearest to a mistyped one.</summary>
[PureCore]
public static class DidYouMean
{
    private const int LongestWord = 40;

    /// <summary>Null when nothing is near enough to be worth saying: up to one slip in three letters, two at most.</summary>
    public static string? Nearest(string word, IEnumerable<string> known)
    {
        if (word.Length is 0 or > LongestWord)
        {
            return null;
        }

        var (best, distance) = known.Select(k => (Word: k, Distance: Distance(word, k))).OrderBy(c => c.Distance).FirstOrDefault();
        return best is not null && distance <= Math.Min(2, Math.Max(1, best.Length / 3)) ? best : null;
    }

    /// <summary>Insertions, deletions, replacements and swaps of neighbours (optimal string alignment).</summary>
    public static int Distance(string a, string b)
    {
        var rows = new int[a.Length + 1, b.Length + 1];
        for (var i = 0; i <= a.Length; i++)
        {
            for (var j = 0; j <= b.Length; j++)
            {
                rows[i, j] = i == 0 || j == 0 ? i + j : Cell(rows, a, b, i, j);
            }
        }

        return rows[a.Length, b.Length];
    }

    private static int Cell(int[,] rows, string a, string b, int i, int j)
    {
        var same = a[i - 1] == b[j - 1] ? 0 : 1;
        var best = Math.Min(Math.Min(rows[i - 1, j] + 1, rows[i, j - 1] + 1), rows[i - 1, j - 1] + same);
        return i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] ? Math.Min(best, rows[i - 2, j - 2] + 1) : best;
    }
}
