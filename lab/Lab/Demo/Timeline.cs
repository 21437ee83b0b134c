using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using Common.Time;

namespace Lab.Demo;

/// <summary>What happened, and when: on the terminal for people, one JSON object a line for scripts.</summary>
internal sealed class Timeline : IDisposable
{
    private const string Grey = "\e[90m";
    private const string Green = "\e[32m";
    private const string Red = "\e[31m";
    private const string Plain = "\e[0m";

    /// <summary>Phone numbers and commands as they are read, not as \u002B.</summary>
    private static readonly JsonWriterOptions PlainText = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };
    private static readonly JsonSerializerOptions Values = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private readonly TimeProvider _time;
    private readonly Instant _started;
    private readonly StreamWriter? _json;
    private readonly bool _terminal;
    private readonly ITimer? _ticker;
    private readonly Lock _gate = new();
    private string? _waitingFor;
    private int _shown;

    public Timeline(string? jsonFile, TimeProvider time)
    {
        _time = time;
        _started = Instant.Now(time);
        _json = jsonFile is null ? null : new StreamWriter(jsonFile) { AutoFlush = true, NewLine = "\n" };
        _terminal = !Console.IsOutputRedirected && Environment.GetEnvironmentVariable("TERM") is not (null or "dumb");
        _ticker = _terminal ? time.CreateTimer(_ => Tick(), null, TimeSpan.FromMilliseconds(100), TimeSpan.FromMilliseconds(100)) : null;
    }

    /// <summary>Monotonic seconds since the start.</summary>
    public double Now => At(Instant.Now(_time));

    /// <summary>A moment of this boot on the timeline.</summary>
    public double At(Instant moment) => (moment - _started).TotalSeconds;

    /// <param name="monotonicSeconds">As other processes of this machine write it.</param>
    public double At(double monotonicSeconds) => monotonicSeconds - TimeSpan.FromTicks(_started.Ticks).TotalSeconds;

    /// <summary>An event of the contract. Returns its time.</summary>
    public double Event(string name, string text, params ReadOnlySpan<(string Key, object? Value)> details) => Event(Now, name, text, details);

    public double Event(double at, string name, string text, params ReadOnlySpan<(string Key, object? Value)> details)
    {
        lock (_gate)
        {
            WriteJson(at, name, details);
            Line(string.Create(CultureInfo.InvariantCulture, $"{at,7:F2} s  {text}"), Green);
        }

        return at;
    }

    /// <summary>A remark for people only.</summary>
    public void Say(string text)
    {
        lock (_gate)
        {
            Line("           " + text, Grey);
        }
    }

    public void Wrong(string text)
    {
        lock (_gate)
        {
            Line(string.Create(CultureInfo.InvariantCulture, $"{Now,7:F2} s  FAILED: {text}"), Red);
        }
    }

    /// <summary>What the last line of a terminal shows, with the seconds running; null: nothing.</summary>
    public void WaitingFor(string? what)
    {
        lock (_gate)
        {
            _waitingFor = what;
            Clear();
        }
    }

    public void Dispose()
    {
        _ticker?.Dispose();
        WaitingFor(null);
        _json?.Dispose();
    }

    private void WriteJson(double at, string name, ReadOnlySpan<(string Key, object? Value)> details)
    {
        if (_json is null)
        {
            return;
        }

        using var buffer = new MemoryStream();
        using (var writer = new Utf8JsonWriter(buffer, PlainText))
        {
            writer.WriteStartObject();
            writer.WriteNumber("t", Math.Round(at, 3));
            writer.WriteString("event", name);
            foreach (var (key, value) in details)
            {
                writer.WritePropertyName(key);
                JsonSerializer.Serialize(writer, value, Values);
            }

            writer.WriteEndObject();
        }

        _json.WriteLine(System.Text.Encoding.UTF8.GetString(buffer.GetBuffer().AsSpan(0, (int)buffer.Length)));
    }

    private void Line(string text, string colour)
    {
        Clear();
        Console.Out.WriteLine(_terminal ? colour + text + Plain : text);
        Console.Out.Flush();
    }

    private void Tick()
    {
        lock (_gate)
        {
            if (_waitingFor is null)
            {
                return;
            }

            var text = string.Create(CultureInfo.InvariantCulture, $"{Now,7:F1} s  ... {_waitingFor}");
            Console.Out.Write("\r" + Grey + text.PadRight(_shown) + Plain);
            _shown = text.Length;
        }
    }

    private void Clear()
    {
        if (_shown > 0)
        {
            Console.Out.Write("\r" + new string(' ', _shown) + "\r");
            _shown = 0;
        }
    }
}
