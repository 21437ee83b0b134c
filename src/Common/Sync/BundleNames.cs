using Common.Configuration;

namespace Common.Sync;

/// <summary>Names that a bundle may hold: the inside refuses others in its configuration, the bastion in the bundle.</summary>
[PureCore]
public static class BundleNames
{
    public const int LongestPerson = 11;

    private static readonly string[] Reserved = ["root", "sync", "nobody", "maintenance"];

    /// <summary>A person's name, which becomes an account of the bastion.</summary>
    public static Reading<string> Person(string text) =>
        text.Length is < 1 or > LongestPerson || !char.IsAsciiLetterLower(text[0]) || !text.All(c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c == '-')
            ? Reading.Bad($"must be 1 to {LongestPerson} small letters, digits and hyphens, beginning with a letter: it becomes an account of the bastion")
        : Reserved.Contains(text) || text.StartsWith("bastion", StringComparison.Ordinal) || text.StartsWith("site-", StringComparison.Ordinal)
            ? Reading.Bad("is the name of an account that is no person's: call the person something else")
        : text;
}
