using System.Collections.Immutable;
using YamlDotNet.Core;
using YamlDotNet.Core.Events;

namespace Common.Configuration;

/// <summary>
/// YAML text to <see cref="ConfigurationNode"/>s. Only what a configuration needs: one document, sections, lists, values. Anchors,
/// aliases and tags are refused (they can make a small file endless), duplicate keys are told with both lines.
/// </summary>
/// <remarks>Built on the event parser, which needs no reflection; the object deserialiser does.</remarks>
public static class YamlTree
{
    public const int MaxCharacters = 256 * 1024;
    private const int MaxDepth = 12;
    private const int MaxNodes = 10_000;

    /// <summary>Null when there is nothing usable; then <paramref name="errors"/> says why. Never throws on bad text.</summary>
    public static ConfigurationNode.Map? Parse(string text, ConfigurationErrors errors)
    {
        if (text.Length > MaxCharacters)
        {
            errors.Add("(file)", "", $"longer than {MaxCharacters / 1024} KiB: this is not a configuration", 0);
            return null;
        }

        var before = errors.All.Count;
        YamlSurface.Check(text, errors);
        return errors.All.Count > before ? null : Read(text, errors);
    }

    private static ConfigurationNode.Map? Read(string text, ConfigurationErrors errors)
    {
        var scanner = new Scanner(new StringReader(text));
        try
        {
            return new Reading(new Parser(scanner), errors).Document();
        }
        catch (YamlException e)
        {
            errors.Add("(file)", "", YamlSurface.Explain(e), LineOf(e));
        }
        catch (Exception e) when (e is InvalidOperationException or ArgumentException or FormatException or OverflowException or NullReferenceException)
        {
            // Faults of the YAML library on text that no person writes (found by fuzzing).
            errors.Add("(file)", "", "cannot be read as YAML: is a quote, `[` or `{` left open?", (int)scanner.CurrentPosition.Line);
        }

        return null;
    }

    private static int LineOf(YamlException e) => (int)Math.Clamp(e.Start.Line, 0, int.MaxValue);

    private sealed class Reading(IParser parser, ConfigurationErrors errors)
    {
        private int _nodes;

        public ConfigurationNode.Map? Document()
        {
            parser.Consume<StreamStart>();
            if (parser.Accept<StreamEnd>(out _))
            {
                errors.Add("(file)", "", "is empty", 0);
                return null;
            }

            parser.Consume<DocumentStart>();
            var root = Node("", 0);
            parser.Consume<DocumentEnd>();
            if (!parser.Accept<StreamEnd>(out _))
            {
                errors.Add("(file)", "", "holds a second document (---): only one is read", Line(parser.Current!));
            }

            return Root(root);
        }

        private ConfigurationNode.Map? Root(ConfigurationNode root)
        {
            if (root is ConfigurationNode.Map map)
            {
                return map;
            }

            errors.Add("(file)", "", root.IsEmpty ? "is empty" : $"must be lines of `key: value`, not {root.Kind}", root.Line);
            return null;
        }

        private ConfigurationNode Node(string path, int depth)
        {
            if (++_nodes > MaxNodes)
            {
                throw new YamlException(parser.Current!.Start, parser.Current.End, "too many values");
            }

            switch (parser.Current)
            {
                case AnchorAlias alias:
                    parser.MoveNext();
                    return Refused(path, alias, "aliases (*name) are not read: write the value out");
                case NodeEvent node when !node.Anchor.IsEmpty:
                    return RefuseAndSkip(path, "anchors (&name) are not read: write the value out, or quote it");
                case NodeEvent { Tag.IsEmpty: false } node when !node.Tag.IsNonSpecific:
                    return RefuseAndSkip(path, "tags (!name) are not read: quote the value");
                case NodeEvent when depth > MaxDepth:
                    return RefuseAndSkip(path, "is nested too deeply");
                case Scalar scalar:
                    parser.MoveNext();
                    return new ConfigurationNode.Scalar(scalar.Value, scalar.Style != ScalarStyle.Plain, Line(scalar));
                case SequenceStart:
                    return List(path, depth);
                default:
                    return Map(path, depth);
            }
        }

        private ConfigurationNode.List List(string path, int depth)
        {
            var line = Line(parser.Consume<SequenceStart>());
            var items = ImmutableArray.CreateBuilder<ConfigurationNode>();
            while (!parser.TryConsume<SequenceEnd>(out _))
            {
                items.Add(Node($"{path}[{items.Count + 1}]", depth + 1));
            }

            return new ConfigurationNode.List(items.ToImmutable(), line);
        }

        private ConfigurationNode.Map Map(string path, int depth)
        {
            var line = Line(parser.Consume<MappingStart>());
            var seen = new Dictionary<string, int>(StringComparer.Ordinal);
            var entries = ImmutableArray.CreateBuilder<ConfigurationNode.Entry>();
            while (!parser.TryConsume<MappingEnd>(out _))
            {
                if (Entry(path, depth, seen) is { } entry)
                {
                    entries.Add(entry);
                }
            }

            return new ConfigurationNode.Map(entries.ToImmutable(), line);
        }

        private ConfigurationNode.Entry? Entry(string path, int depth, Dictionary<string, int> seen)
        {
            var keyLine = Line(parser.Current!);
            var key = Node(Join(path, "(key)"), depth + 1) as ConfigurationNode.Scalar;
            var value = Node(Join(path, key?.Text ?? "(key)"), depth + 1);
            if (key is null)
            {
                errors.Add(Join(path, "(key)"), "", "a key must be one word", keyLine);
                return null;
            }

            if (seen.TryGetValue(key.Text, out var first))
            {
                errors.Add(Join(path, key.Text), value.Shown, $"stands twice, first in line {first}: keep one", key.Line);
                return null;
            }

            seen[key.Text] = key.Line;
            return new ConfigurationNode.Entry(key.Text, value, key.Line);
        }

        private ConfigurationNode.Scalar Refused(string path, ParsingEvent at, string reason)
        {
            errors.Add(path.Length == 0 ? "(file)" : path, "", reason, Line(at));
            return new ConfigurationNode.Scalar("", Quoted: true, Line(at));
        }

        private ConfigurationNode.Scalar RefuseAndSkip(string path, string reason)
        {
            var at = parser.Current!;
            parser.SkipThisAndNestedEvents();
            return Refused(path, at, reason);
        }

        private static int Line(ParsingEvent at) => (int)Math.Clamp(at.Start.Line, 0, int.MaxValue);
    }

    internal static string Join(string path, string key) => path.Length == 0 ? key : $"{path}.{key}";
}
