using System.Collections.Immutable;
using System.Globalization;
using System.Net;
using System.Xml.Linq;
using Common;

namespace InternalHost.Cloud.Ec2;

/// <summary>Reading EC2's XML by local name: the default namespace differs by server and version. Lists are <c>item</c> elements.</summary>
[PureCore]
internal static class Ec2Xml
{
    public static XElement? Child(this XElement element, string name) => element.Elements().FirstOrDefault(e => e.Name.LocalName == name);

    /// <summary>The text at the end of that path; null: absent or empty.</summary>
    public static string? Text(this XElement element, params ReadOnlySpan<string> path)
    {
        XElement? at = element;
        foreach (var name in path)
        {
            at = at?.Child(name);
        }

        return at?.Value is { Length: > 0 } text ? text : null;
    }

    /// <exception cref="Ec2Exception">The answer lacks it: it is no answer that we can read.</exception>
    public static string Need(this XElement element, params ReadOnlySpan<string> path) =>
        element.Text(path) ?? throw Ec2Exception.Unreadable($"<{element.Name.LocalName}> without <{string.Join("/", path.ToArray())}>");

    public static IEnumerable<XElement> Items(this XElement element, params ReadOnlySpan<string> path)
    {
        XElement? at = element;
        foreach (var name in path)
        {
            at = at?.Child(name);
        }

        return at?.Elements().Where(e => e.Name.LocalName == "item") ?? [];
    }

    public static ImmutableSortedDictionary<string, string> Tags(this XElement element) => element.Items("tagSet")
        .ToImmutableSortedDictionary(t => t.Text("key") ?? "", t => t.Text("value") ?? "", StringComparer.Ordinal);

    public static DateTimeOffset? Time(this XElement element, string name) =>
        DateTimeOffset.TryParse(element.Text(name), CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var time) ? time : null;

    public static int? Number(this XElement element, string name) =>
        int.TryParse(element.Text(name), NumberStyles.Integer, CultureInfo.InvariantCulture, out var number) ? number : null;

    public static bool Flag(this XElement element, string name) => element.Text(name) == "true";

    public static IPAddress? Address(this XElement element, params ReadOnlySpan<string> path) =>
        IPAddress.TryParse(element.Text(path), out var address) ? address : null;
}
