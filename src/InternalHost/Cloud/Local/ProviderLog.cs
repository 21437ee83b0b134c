using System.Text.Json;
using System.Text.Json.Serialization;
using Common.Time;

namespace InternalHost.Cloud.Local;

/// <summary>One thing that happened at the provider.</summary>
/// <param name="T">Seconds of the machine's monotonic clock: the same in every process of one boot.</param>
/// <param name="Event">call; launch, running, booted, moved, stopping, stopped; sshd_ended, boot_failed, agent_ended, power_loss.</param>
/// <param name="Op">call: which.</param>
/// <param name="Outcome">call: ok, lost (carried out, not answered), or the failure.</param>
/// <param name="By">Who made it happen: api, owner, itself.</param>
internal sealed record ProviderLogEntry(
    double T,
    string Event,
    string? Op = null,
    string? Outcome = null,
    string? Launch = null,
    string? By = null,
    string? Address = null,
    string? Detail = null);

/// <summary>
/// The provider's own record of calls and real transitions, one JSON object a line, on disk before anything follows from it. It is held
/// against what the controller believes: exactly one launch and one stop an outage.
/// </summary>
internal sealed class ProviderLog : IDisposable
{
    private readonly TimeProvider _time;
    private readonly Lock _gate = new();

    /// <summary>Written under <see cref="_gate"/>.</summary>
    private readonly FileStream _file;

    public ProviderLog(string path, TimeProvider time)
    {
        _time = time;
        Path = path;
        _file = new FileStream(path, new FileStreamOptions
        {
            Mode = FileMode.OpenOrCreate,
            Access = FileAccess.ReadWrite,
            Share = FileShare.Read,
            UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite,
        });
        EndTornLine();
    }

    public string Path { get; }

    public void Write(ProviderLogEntry entry)
    {
        var line = JsonSerializer.SerializeToUtf8Bytes(entry with { T = Math.Round(TimeSpan.FromTicks(Instant.Now(_time).Ticks).TotalSeconds, 6) }, LocalCloudJson.Default.ProviderLogEntry);
        lock (_gate)
        {
            if (_file.SafeFileHandle.IsClosed)
            {
                return;
            }

            _file.Write(line);
            _file.WriteByte((byte)'\n');
            _file.Flush(flushToDisk: true);
        }
    }

    /// <summary>All that can be read; a line torn by a crash is left out.</summary>
    public static IEnumerable<ProviderLogEntry> Read(string path)
    {
        if (!File.Exists(path))
        {
            yield break;
        }

        using var reader = new StreamReader(new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite));
        while (reader.ReadLine() is { } line)
        {
            if (TryParse(line) is { } entry)
            {
                yield return entry;
            }
        }
    }

    public void Dispose()
    {
        lock (_gate)
        {
            _file.Dispose();
        }
    }

    private static ProviderLogEntry? TryParse(string line)
    {
        try
        {
            return JsonSerializer.Deserialize(line, LocalCloudJson.Default.ProviderLogEntry);
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private void EndTornLine()
    {
        if (_file.Length == 0)
        {
            return;
        }

        _file.Seek(-1, SeekOrigin.End);
        if (_file.ReadByte() != '\n')
        {
            _file.WriteByte((byte)'\n');
        }
    }
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(ProviderLogEntry))]
[JsonSerializable(typeof(LocalCloudRequest))]
[JsonSerializable(typeof(LocalCloudReply))]
internal sealed partial class LocalCloudJson : JsonSerializerContext;
