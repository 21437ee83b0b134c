using YamlDotNet.Core;

namespace Common.Configuration;

/// <summary>Mistakes of YAML's surface in words of people: tabs, control characters, and the library's own complaints.</summary>
internal static class YamlSurface
{
    /// <summary>What can be told line by line, all at once, before the first syntax error ends the reading.</summary>
    public static void Check(string text, ConfigurationErrors errors)
    {
        var number = 0;
        foreach (var line in text.AsSpan().EnumerateLines())
        {
            number++;
            if (IsIndentedByTab(line))
            {
                errors.Add("(file)", "", "is indented by a tab: YAML wants spaces", number);
            }
            else if (HasControl(line))
            {
                errors.Add("(file)", "", "holds a control character", number);
            }
        }
    }

    /// <summary>The library's message may quote the file, and so a secret: only known causes are repeated, in our words.</summary>
    public static string Explain(YamlException e)
    {
        var message = e.Message;
        return message switch
        {
            _ when Has(message, "too many values") => "holds too many values: this is not a configuration",
            _ when Has(message, "quoted scalar") => "a quote is opened and never closed",
            _ when Has(message, "could not find expected ':'") => "a key without `:`, or a line that belongs to nothing",
            _ when Has(message, "mapping values are not allowed") || Has(message, "Mapping values are not allowed") || Has(message, "invalid mapping")
                => "a second `:` where a value should be: quote the value, or check the indentation",
            _ when Has(message, "flow sequence") => "a list `[` is not closed, or a comma is missing",
            _ when Has(message, "flow mapping") => "a section `{` is not closed, or a comma is missing",
            _ when Has(message, "block mapping") || Has(message, "block collection") || Has(message, "block sequence") => "the indentation does not fit the lines above",
            _ when Has(message, "cannot start any token") => "a value begins with a character that YAML reserves: quote it",
            _ => "cannot be read as YAML: check indentation, quotes and colons",
        };
    }

    private static bool Has(string message, string part) => message.Contains(part, StringComparison.Ordinal);

    private static bool IsIndentedByTab(ReadOnlySpan<char> line)
    {
        var indent = line[..(line.Length - line.TrimStart(" \t").Length)];
        return indent.Contains('\t') && indent.Length < line.Length;
    }

    private static bool HasControl(ReadOnlySpan<char> line)
    {
        foreach (var c in line)
        {
            if (char.IsControl(c) && c is not '\t')
            {
                return true;
            }
        }

        return false;
    }
}
