using System.Text.Json;
using System.Text.Json.Serialization;
using Common.Alerts;
using Common.Alerts.Test;
using Common.Configuration;

namespace InternalHost.Control;

/// <summary>What may be asked of a running daemon.</summary>
public abstract record ControlRequest
{
    private ControlRequest()
    {
    }

    /// <summary>How things are.</summary>
    public sealed record Status : ControlRequest;

    /// <summary>Have the way in open, whatever the detector says.</summary>
    public sealed record Open(TimeSpan For) : ControlRequest;

    /// <summary>Shut the way in, and keep it shut for a while.</summary>
    public sealed record Close : ControlRequest;

    /// <summary>Act on no outage for a while.</summary>
    public sealed record Pause(TimeSpan For, string Why) : ControlRequest;

    /// <summary>Withdraw open, close and pause.</summary>
    public sealed record Resume : ControlRequest;

    /// <summary>Read the configuration again; connections of services that stay are not touched.</summary>
    public sealed record Reload : ControlRequest;

    /// <summary>Send a test message by each channel, or by one.</summary>
    public sealed record TestAlerts(string? Channel) : ControlRequest;

    /// <summary>How test messages stand.</summary>
    public sealed record LookAtTests(IReadOnlyList<string> Ids) : ControlRequest;

    /// <summary>Is anything known to be wrong? For monitoring: not ok with the problems when there are some.</summary>
    public sealed record Check : ControlRequest;

    /// <summary>The newest alerts.</summary>
    public sealed record Alerts : ControlRequest;

    /// <summary>One alert and where each message of it stands.</summary>
    public sealed record Explain(string Id) : ControlRequest;
}

/// <summary>A request as it is sent: <c>{"op":"pause","for":"4h","why":"new router"}</c>, one line.</summary>
public sealed record ControlLine(
    string? Op, string? For = null, string? Why = null, string? Id = null, string? Channel = null, IReadOnlyList<string>? Ids = null)
{
    public static readonly TimeSpan DefaultOpen = TimeSpan.FromHours(2);
    private const int LongestWhy = 120;
    private const int MostIds = 100;

    private static readonly string[] Ops = ["status", "open", "close", "pause", "resume", "reload", "check", "alerts", "explain", "test-alerts", "look-at-tests"];

    public static ControlLine Of(ControlRequest request) => request switch
    {
        ControlRequest.Open open => new("open", Quantities.Say(open.For)),
        ControlRequest.Pause pause => new("pause", Quantities.Say(pause.For), pause.Why),
        ControlRequest.Explain explain => new("explain", Id: explain.Id),
        ControlRequest.TestAlerts test => new("test-alerts", Channel: test.Channel),
        ControlRequest.LookAtTests look => new("look-at-tests", Ids: look.Ids),
        _ => new(request.GetType().Name.ToLowerInvariant()),
    };

    /// <summary>The request in one line of JSON, or what is wrong with it.</summary>
    public static Reading<ControlRequest> Parse(ReadOnlySpan<byte> line)
    {
        try
        {
            return JsonSerializer.Deserialize(line, ControlJson.Default.ControlLine)?.Read() ?? Reading.Bad("empty request");
        }
        catch (JsonException)
        {
            return Reading.Bad("not a request: one JSON object a line, such as {\"op\":\"status\"}");
        }
    }

    private Reading<ControlRequest> Read() => Op switch
    {
        "status" => new ControlRequest.Status(),
        "open" => For is null ? new ControlRequest.Open(DefaultOpen)
            : Span(TimeSpan.FromMinutes(1), TimeSpan.FromDays(7)) is { Problem: null } span ? new ControlRequest.Open(span.Value) : BadFor(TimeSpan.FromMinutes(1), TimeSpan.FromDays(7)),
        "close" => new ControlRequest.Close(),
        "pause" => Pause(),
        "resume" => new ControlRequest.Resume(),
        "reload" => new ControlRequest.Reload(),
        "check" => new ControlRequest.Check(),
        "alerts" => new ControlRequest.Alerts(),
        "explain" => AlertBook.Id(Id ?? "") is { } id ? new ControlRequest.Explain(id) : Reading.Bad("id must be that of an alert: 4 to 12 letters and digits"),
        "test-alerts" => new ControlRequest.TestAlerts(Channel),
        "look-at-tests" => Ids is { Count: > 0 and <= MostIds } ids ? new ControlRequest.LookAtTests(ids) : Reading.Bad($"ids must name 1 to {MostIds} messages"),
        _ => Reading.Bad($"unknown op: one of {string.Join(", ", Ops)}"),
    };

    private Reading<ControlRequest> Pause()
    {
        var (least, most) = (TimeSpan.FromMinutes(1), TimeSpan.FromDays(30));
        return string.IsNullOrWhiteSpace(Why) || Why.Length > LongestWhy || Why.Any(char.IsControl)
            ? Reading.Bad($"why must say why, in 1 to {LongestWhy} characters: it is shown until the pause ends")
            : Span(least, most) is { Problem: null } span ? new ControlRequest.Pause(span.Value, Why.Trim()) : BadFor(least, most);
    }

    private Reading<TimeSpan> Span(TimeSpan least, TimeSpan most) => Quantities.DurationBetween(least, most)(For ?? "");

    private Misread BadFor(TimeSpan least, TimeSpan most) => Reading.Bad($"for {Span(least, most).Problem}");
}

/// <param name="Error">Why not, where <paramref name="Ok"/> is false.</param>
/// <param name="Message">What was done, in one line for people.</param>
/// <param name="Problems">Answer to check.</param>
/// <param name="Alerts">Answer to alerts and explain.</param>
public sealed record ControlReply(
    bool Ok,
    string? Error = null,
    string? Message = null,
    StatusReport? Status = null,
    IReadOnlyList<string>? Problems = null,
    IReadOnlyList<AlertView>? Alerts = null)
{
    /// <summary>Answer to test-alerts and look-at-tests.</summary>
    public IReadOnlyList<ChannelTest>? Tests { get; init; }

    public static ControlReply Failed(string error) => new(Ok: false, Error: error);

    public static ControlReply Done(string message) => new(Ok: true, Message: message);
}

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    UseStringEnumConverter = true)]
[JsonSerializable(typeof(ControlLine))]
[JsonSerializable(typeof(ControlReply))]
public sealed partial class ControlJson : JsonSerializerContext;
