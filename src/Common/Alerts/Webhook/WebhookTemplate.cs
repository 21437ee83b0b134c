using System.Buffers;
using System.Collections.Frozen;
using System.Collections.Immutable;
using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Common.Alerts.Webhook;

/// <summary>
/// A body as JSON whose strings hold fields in braces: <c>{"msg": "{text}", "level": "{priority}"}</c>. The template is parsed first
/// and filled afterwards, so no value can leave its string. A string that is one number field alone becomes a number; <c>{{</c> is a brace.
/// </summary>
[PureCore]
public sealed class WebhookTemplate : IEquatable<WebhookTemplate>
{
    private const int MaxDepth = 16;

    /// <summary>A field's name and whether it is a number.</summary>
    private static readonly FrozenDictionary<string, bool> Fields = new Dictionary<string, bool>(StringComparer.Ordinal)
    {
        ["id"] = false,
        ["kind"] = false,
        ["severity"] = false,
        ["priority"] = true,
        ["level"] = false,
        ["site"] = false,
        ["title"] = false,
        ["text"] = false,
        ["details"] = false,
        ["all"] = false,
        ["at"] = false,
        ["key"] = false,
        ["topic"] = false,
    }.ToFrozenDictionary(StringComparer.Ordinal);

    private readonly JsonElement _root;

    private WebhookTemplate(JsonElement root) => _root = root;

    /// <summary>As it was written.</summary>
    public override string ToString() => _root.GetRawText();

    public bool Equals(WebhookTemplate? other) => other is not null && _root.GetRawText() == other._root.GetRawText();

    public override bool Equals(object? obj) => Equals(obj as WebhookTemplate);

    public override int GetHashCode() => _root.GetRawText().GetHashCode(StringComparison.Ordinal);

    /// <exception cref="FormatException">What is wrong with it, for whoever wrote it.</exception>
    public static WebhookTemplate Parse(string json)
    {
        try
        {
            using var document = JsonDocument.Parse(json, new JsonDocumentOptions { MaxDepth = MaxDepth });
            var root = document.RootElement.Clone();
            Check(root);
            return new WebhookTemplate(root);
        }
        catch (JsonException e)
        {
            throw new FormatException("is not JSON: fields stand inside strings, such as {\"text\": \"{text}\"}", e);
        }
    }

    /// <summary>The body, UTF-8.</summary>
    /// <param name="values">By field; one that is missing is empty.</param>
    public byte[] Fill(IReadOnlyDictionary<string, string> values)
    {
        var body = new ArrayBufferWriter<byte>();
        // Outside HTML nothing is gained by escaping what JSON allows, and receivers show it.
        using (var writer = new Utf8JsonWriter(body, new JsonWriterOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
        {
            Write(writer, _root, values);
        }

        return body.WrittenSpan.ToArray();
    }

    private static void Write(Utf8JsonWriter writer, JsonElement element, IReadOnlyDictionary<string, string> values)
    {
        switch (element.ValueKind)
        {
            case JsonValueKind.Object:
                writer.WriteStartObject();
                foreach (var property in element.EnumerateObject())
                {
                    writer.WritePropertyName(property.Name);
                    Write(writer, property.Value, values);
                }

                writer.WriteEndObject();
                break;
            case JsonValueKind.Array:
                writer.WriteStartArray();
                foreach (var item in element.EnumerateArray())
                {
                    Write(writer, item, values);
                }

                writer.WriteEndArray();
                break;
            case JsonValueKind.String:
                WriteString(writer, element.GetString()!, values);
                break;
            default:
                element.WriteTo(writer);
                break;
        }
    }

    private static void WriteString(Utf8JsonWriter writer, string template, IReadOnlyDictionary<string, string> values)
    {
        var parts = Split(template);
        if (parts is [{ Field: { } only }] && Fields[only] && long.TryParse(values.GetValueOrDefault(only), NumberStyles.None, CultureInfo.InvariantCulture, out var number))
        {
            writer.WriteNumberValue(number);
            return;
        }

        writer.WriteStringValue(string.Concat(parts.Select(p => p.Field is { } field ? values.GetValueOrDefault(field, "") : p.Text)));
    }

    private static void Check(JsonElement element)
    {
        switch (element.ValueKind)
        {
            case JsonValueKind.Object:
                foreach (var property in element.EnumerateObject())
                {
                    Check(property.Value);
                }

                break;
            case JsonValueKind.Array:
                foreach (var item in element.EnumerateArray())
                {
                    Check(item);
                }

                break;
            case JsonValueKind.String:
                Split(element.GetString()!);
                break;
        }
    }

    /// <exception cref="FormatException">An unknown field, or a brace without its other half.</exception>
    private static ImmutableArray<Part> Split(string template)
    {
        var parts = ImmutableArray.CreateBuilder<Part>();
        var text = new StringBuilder();
        for (var i = 0; i < template.Length; i++)
        {
            var c = template[i];
            if (c is '{' or '}' && i + 1 < template.Length && template[i + 1] == c)
            {
                text.Append(c);
                i++;
            }
            else if (c == '{')
            {
                var end = template.IndexOf('}', i);
                var field = end < 0 ? "" : template[(i + 1)..end];
                if (!Fields.ContainsKey(field))
                {
                    throw new FormatException($"has no field {{{field}}}; known: {string.Join(", ", Fields.Keys.Order())} (a brace itself is written twice)");
                }

                Flush(parts, text);
                parts.Add(new Part("", field));
                i = end;
            }
            else
            {
                text.Append(c);
            }
        }

        Flush(parts, text);
        return parts.ToImmutable();
    }

    private static void Flush(ImmutableArray<Part>.Builder parts, StringBuilder text)
    {
        if (text.Length > 0)
        {
            parts.Add(new Part(text.ToString(), null));
            text.Clear();
        }
    }

    /// <param name="Field">Null: plain text.</param>
    private readonly record struct Part(string Text, string? Field);
}
