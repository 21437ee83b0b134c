using System.Net;
using System.Text.Json;
using System.Text.Json.Serialization;
using Common.Time;

namespace InternalHost.Failover;

/// <summary>The journal's form of the controller's state. Unknown properties are ignored, so that version N reads N-1 and N+1.</summary>
[JsonSerializable(typeof(FailoverState))]
internal sealed partial class FailoverJson : JsonSerializerContext;

/// <param name="shift">Added to each moment that is read: moves the times of an earlier boot into this one.</param>
internal sealed class InstantConverter(TimeSpan shift) : JsonConverter<Instant>
{
    public override Instant Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) => new Instant(reader.GetInt64()) + shift;

    public override void Write(Utf8JsonWriter writer, Instant value, JsonSerializerOptions options) => writer.WriteNumberValue(value.Ticks);
}

internal sealed class AddressListConverter : JsonConverter<AddressList>
{
    public override AddressList Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        new([.. (reader.GetString() ?? "").Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(IPAddress.Parse)]);

    public override void Write(Utf8JsonWriter writer, AddressList value, JsonSerializerOptions options) => writer.WriteStringValue(value.ToString());
}
