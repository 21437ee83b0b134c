using System.Collections.Immutable;
using System.Text;

namespace Lab.Clouds;

/// <summary>The flat parameters of AWS's Query APIs.</summary>
internal static class Ec2Parameters
{
    /// <summary><c>name.1</c>, <c>name.2</c>, ...</summary>
    public static IEnumerable<string> List(ImmutableSortedDictionary<string, string> p, string name)
    {
        for (var i = 1; p.TryGetValue($"{name}.{i}", out var value); i++)
        {
            yield return value;
        }
    }

    /// <summary>The parameters below <c>name.1.</c>, <c>name.2.</c>, ...</summary>
    public static IEnumerable<ImmutableSortedDictionary<string, string>> Numbered(ImmutableSortedDictionary<string, string> p, string name)
    {
        for (var i = 1; ; i++)
        {
            var prefix = $"{name}.{i}.";
            var below = p.Where(x => x.Key.StartsWith(prefix, StringComparison.Ordinal)).ToImmutableSortedDictionary(x => x.Key[prefix.Length..], x => x.Value, StringComparer.Ordinal);
            if (below.IsEmpty)
            {
                yield break;
            }

            yield return below;
        }
    }

    /// <summary>What a thing of that kind is given while it is made.</summary>
    public static ImmutableSortedDictionary<string, string> Tags(ImmutableSortedDictionary<string, string> p, string resourceType) =>
        Numbered(p, "TagSpecification").Where(s => s.GetValueOrDefault("ResourceType") == resourceType).SelectMany(s => Numbered(s, "Tag"))
            .ToImmutableSortedDictionary(t => t["Key"], t => t.GetValueOrDefault("Value", ""), StringComparer.Ordinal);

    public static string Need(ImmutableSortedDictionary<string, string> p, string name) =>
        p.TryGetValue(name, out var value) ? value : throw new Ec2Refusal("MissingParameter", $"The request must contain the parameter {name}");

    public static string Base64(string text) => Encoding.UTF8.GetString(Convert.FromBase64String(text));
}
