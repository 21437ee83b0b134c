using System.Text;

namespace InternalHost.Tests.Wan.Replay;

/// <summary>Seeded damage to a text: what a bad disk, a bad editor or a bad mind would do to it.</summary>
internal static class TextMutations
{
    private static readonly string[] Snippets =
        ["\"", ",", "\n", "\r", "\0", "\uFEFF", "#", "-", "e", "1e309", "NaN", "\u202E", "\uD800", "tls_b", "0", ".", " ", "\t", "999999999999", "t_s,target,loss,rtt_ms\n"];

    public static string Mutate(string text, string other, Random random)
    {
        var damaged = new StringBuilder(text);
        for (var n = random.Next(1, 6); n > 0; n--)
        {
            var at = random.Next(damaged.Length + 1);
            var length = Math.Min(random.Next(20), damaged.Length - at);
            switch (random.Next(6))
            {
                case 0:
                    damaged.Remove(at, length);
                    break;
                case 1:
                    damaged.Insert(at, Snippets[random.Next(Snippets.Length)]);
                    break;
                case 2:
                    damaged.Insert(at, damaged.ToString(at, length));
                    break;
                case 3 when at < damaged.Length:
                    damaged[at] = (char)random.Next(0, 0x250);
                    break;
                case 4:
                    damaged.Insert(at, other[..random.Next(other.Length + 1)]);
                    break;
                default:
                    damaged.Length = at;
                    break;
            }
        }

        return damaged.ToString();
    }
}
