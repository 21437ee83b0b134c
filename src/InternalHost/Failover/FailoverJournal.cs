using System.Collections.Immutable;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Common.Journal;
using Common.Time;
using Microsoft.Data.Sqlite;

namespace InternalHost.Failover;

/// <summary>
/// The controller's memory. A transition, the effects it asks for and the alerts it raises are one transaction, on disk before any
/// of the effects runs. When the disk fails the controller goes on without it, and <see cref="Problem"/> says so.
/// </summary>
internal sealed class FailoverJournal(Database database, string bootId, TimeProvider time)
{
    public const string Migration = """
        CREATE TABLE failover (
            seq     INTEGER PRIMARY KEY,
            boot    TEXT    NOT NULL,
            at      INTEGER NOT NULL,
            wall    TEXT    NOT NULL,
            event   TEXT    NOT NULL,
            effects TEXT    NOT NULL,
            state   TEXT    NOT NULL
        )
        """;

    /// <summary>Made once: putting a serializer together costs more than writing a row.</summary>
    private static readonly JsonTypeInfo<FailoverState> Unshifted = TypeInfo(TimeSpan.Zero);

    /// <summary>A year of outages; a bad night is a few hundred rows.</summary>
    private const int KeepRows = 20_000;

    /// <summary>Null while every transition so far is on disk; else why the last one is not.</summary>
    public string? Problem { get; private set; }

    /// <summary>This boot of the machine: an <see cref="Instant"/> of another boot means nothing here.</summary>
    public static string ThisBoot()
    {
        const string path = "/proc/sys/kernel/random/boot_id";
        return File.Exists(path) ? File.ReadAllText(path).Trim() : "unknown";
    }

    /// <summary>The last journalled state, its times moved into this boot; null when there is none.</summary>
    /// <exception cref="InvalidDataException">The row cannot be read: the caller starts afresh and asks the provider.</exception>
    public FailoverState? Load()
    {
        var row = database.Read(c => c.Sql("SELECT boot, at, wall, state FROM failover ORDER BY seq DESC LIMIT 1")
            .List(r => (Boot: r.GetString(0), At: new Instant(r.GetInt64(1)), Wall: r.GetString(2), State: r.GetString(3)))).FirstOrDefault();
        if (row.State is null)
        {
            return null;
        }

        try
        {
            var shift = Shift(row.Boot, row.At, row.Wall);
            return JsonSerializer.Deserialize(row.State, shift == TimeSpan.Zero ? Unshifted : TypeInfo(shift))
                ?? throw new InvalidDataException("the last row of the journal is empty");
        }
        catch (Exception e) when (e is JsonException or FormatException or NotSupportedException)
        {
            throw new InvalidDataException($"the last row of the journal cannot be read: {e.Message}", e);
        }
    }

    /// <summary>True: it is on disk, with the alerts. False: it is not, and the caller keeps the alerts itself.</summary>
    public bool Append(FailoverEvent ev, FailoverStep step, Action<SqliteTransaction> addAlerts)
    {
        try
        {
            database.Write(transaction =>
            {
                transaction.Sql(
                    "INSERT INTO failover (boot, at, wall, event, effects, state) VALUES ($boot, $at, $wall, $event, $effects, $state)",
                    ("$boot", bootId),
                    ("$at", ev.At.Ticks),
                    ("$wall", time.GetUtcNow().UtcDateTime.ToString("O", CultureInfo.InvariantCulture)),
                    ("$event", ev.ToString()),
                    ("$effects", string.Join("; ", step.Effects.Where(e => !e.IsQuestion))),
                    ("$state", JsonSerializer.Serialize(step.Next, Unshifted))).Run();
                transaction.Sql("DELETE FROM failover WHERE seq <= (SELECT max(seq) FROM failover) - $keep", ("$keep", KeepRows)).Run();
                addAlerts(transaction);
            });
            Problem = null;
            return true;
        }
        catch (SqliteException e)
        {
            Problem = $"the journal cannot be written ({e.Message}); going on in memory";
            return false;
        }
    }

    /// <summary>
    /// How far the times of the row are to be moved. Within one boot: not at all. Across boots no clock tells how long the machine
    /// was off; the wall clock is believed as far as it says that time has passed, so an order never lasts longer than it was given.
    /// </summary>
    private TimeSpan Shift(string boot, Instant at, string wall)
    {
        if (boot == bootId)
        {
            return TimeSpan.Zero;
        }

        var off = DateTimeOffset.TryParse(wall, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var then)
            ? time.GetUtcNow() - then
            : TimeSpan.Zero;
        return Instant.Now(time) - at - (off > TimeSpan.Zero ? off : TimeSpan.Zero);
    }

    private static JsonTypeInfo<FailoverState> TypeInfo(TimeSpan shift) => new FailoverJson(new JsonSerializerOptions
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        DefaultIgnoreCondition = System.Text.Json.Serialization.JsonIgnoreCondition.WhenWritingNull,
        Converters = { new InstantConverter(shift) },
    }).FailoverState;
}
