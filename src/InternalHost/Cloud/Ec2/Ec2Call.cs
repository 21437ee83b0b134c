using System.Collections.Immutable;
using System.Globalization;
using Common;

namespace InternalHost.Cloud.Ec2;

/// <summary>A call of a service that has documents at paths instead of forms (Route 53). The call's parameters are the query's.</summary>
/// <param name="Body">XML; null: none.</param>
internal sealed record AwsRest(string Method, string Path, string? Body);

/// <summary>
/// An action of the EC2 Query API and its parameters as they go over the wire: lists are numbered from 1 and joined by dots,
/// <c>Filter.1.Value.2</c>. Names are the API's own.
/// </summary>
[PureCore]
internal sealed record Ec2Call(string Action)
{
    public ImmutableSortedDictionary<string, string> Parameters { get; private init; } = ImmutableSortedDictionary.Create<string, string>(StringComparer.Ordinal);

    /// <summary>Null: a form, as EC2 has it.</summary>
    public AwsRest? Rest { get; init; }

    /// <summary>Null is left out.</summary>
    public Ec2Call With(string name, string? value) => value is null ? this : this with { Parameters = Parameters.Add(name, value) };

    public Ec2Call With(string name, bool value) => With(name, value ? "true" : "false");

    public Ec2Call With(string name, int? value) => With(name, value?.ToString(CultureInfo.InvariantCulture));

    /// <summary><c>name.1</c>, <c>name.2</c>, ...</summary>
    public Ec2Call WithList(string name, IEnumerable<string> values) =>
        values.Select((value, i) => (Name: Numbered(name, i), Value: value)).Aggregate(this, (call, p) => call.With(p.Name, p.Value));

    public Ec2Call WithFilter(string name, params IEnumerable<string> values)
    {
        var filter = Numbered("Filter", Parameters.Keys.Count(k => k.StartsWith("Filter.", StringComparison.Ordinal) && k.EndsWith(".Name", StringComparison.Ordinal)));
        return With($"{filter}.Name", name).WithList($"{filter}.Value", values);
    }

    /// <param name="prefix">What the tags are parameters of, with its last dot; empty: of the call itself.</param>
    public Ec2Call WithTags(string prefix, IEnumerable<KeyValuePair<string, string>> tags) => tags
        .OrderBy(t => t.Key, StringComparer.Ordinal)
        .Select((tag, i) => (Name: Numbered($"{prefix}Tag", i), Tag: tag))
        .Aggregate(this, (call, t) => call.With($"{t.Name}.Key", t.Tag.Key).With($"{t.Name}.Value", t.Tag.Value));

    /// <summary>Tags that a resource is given while it is made: it is never there without them.</summary>
    public Ec2Call WithTagSpecification(string resourceType, IReadOnlyDictionary<string, string> tags)
    {
        if (tags.Count == 0)
        {
            return this;
        }

        var specification = Numbered("TagSpecification", Parameters.Keys.Count(k => k.EndsWith(".ResourceType", StringComparison.Ordinal)));
        return With($"{specification}.ResourceType", resourceType).WithTags($"{specification}.", tags);
    }

    /// <summary>Asks whether the call would be allowed; nothing is done.</summary>
    public Ec2Call WithDryRun(bool dryRun) => dryRun ? With("DryRun", true) : this;

    private static string Numbered(string name, int index) => string.Create(CultureInfo.InvariantCulture, $"{name}.{index + 1}");
}
