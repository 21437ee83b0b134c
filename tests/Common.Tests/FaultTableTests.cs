using System.Text.RegularExpressions;

namespace Common.Tests;

/// <summary>docs/faults.md says which test covers which fault: it is believed only while those tests exist.</summary>
public sealed partial class FaultTableTests
{
    private static readonly string Root = Repository();
    private static readonly Dictionary<string, string> Sources = Directory.EnumerateFiles(Path.Combine(Root, "tests"), "*Tests.cs", SearchOption.AllDirectories)
        .GroupBy(f => Path.GetFileNameWithoutExtension(f)!, StringComparer.Ordinal).ToDictionary(g => g.Key, g => string.Concat(g.Select(File.ReadAllText)), StringComparer.Ordinal);

    private static readonly List<string> Table =
        [.. File.ReadAllLines(Path.Combine(Root, "docs/faults.md")).Where(l => l.StartsWith("| ", StringComparison.Ordinal) && !l.StartsWith("| fault |", StringComparison.Ordinal))];

    [Fact]
    public void Each_test_that_is_named_exists()
    {
        var missing = Table.SelectMany(row => Named().Matches(row)).Select(m => (Class: m.Groups[1].Value, Method: m.Groups[2].Value))
            .Where(t => !Sources.GetValueOrDefault(t.Class, "").Contains($" {t.Method}(", StringComparison.Ordinal));

        Assert.Empty(missing);
    }

    [Fact]
    public void Each_fault_has_a_test_and_at_most_a_tenth_says_what_is_missing()
    {
        var untested = Table.Where(row => Cell(row).StartsWith("- ", StringComparison.Ordinal)).ToList();
        var empty = Table.Except(untested).Where(row => !Named().IsMatch(row) && !Cell(row).StartsWith("the same", StringComparison.Ordinal));

        Assert.Empty(empty);
        Assert.InRange(untested.Count, 0, Table.Count / 10);
        Assert.All(untested, row => Assert.InRange(Cell(row).Length, 20, 200));
    }

    [Fact]
    public void Every_kind_of_fault_is_there()
    {
        var headings = File.ReadLines(Path.Combine(Root, "docs/faults.md")).Where(l => l.StartsWith("## ", StringComparison.Ordinal)).Select(l => l[3..]);

        Assert.Equal(["Capture", "Environment", "Names and text", "SMS", "Providers", "Cloud", "Storage", "Allow-list", "Config", "Journal"], headings);
    }

    private static string Cell(string row) => row.Split('|')[^2].Trim();

    private static string Repository()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder!.FullName, "Bastion.sln")))
        {
            folder = folder.Parent;
        }

        return folder.FullName;
    }

    [GeneratedRegex(@"`(\w+Tests)\.(\w+)`")]
    private static partial Regex Named();
}
