using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Net;
using Common.Journal;
using Common.Time;
using Microsoft.Data.Sqlite;

namespace InternalHost.Wan.Http;

/// <summary>
/// The addresses at which a name was last proven by TLS, on disk, for the day DNS is dead or lies. Kept for ever: a wrong one only
/// costs a handshake. A disk that cannot be written costs the memory across a restart, nothing else.
/// </summary>
internal sealed class LastGoodAddresses(Database database, TimeProvider time)
{
    /// <summary>To be appended to the state file's migrations.</summary>
    public const string Migration =
        "CREATE TABLE last_good_addresses(name TEXT PRIMARY KEY, addresses TEXT NOT NULL, proven_at TEXT NOT NULL) WITHOUT ROWID";

    /// <summary>Large names change their addresses at every question: the SD card need not hear of each.</summary>
    private static readonly TimeSpan WriteEvery = TimeSpan.FromHours(1);

    private const int MaxAddresses = 8;

    private readonly ConcurrentDictionary<string, Entry> _names = new(StringComparer.OrdinalIgnoreCase);

    /// <summary>Whether the last write reached the disk.</summary>
    public bool IsWritable { get; private set; } = true;

    public ImmutableArray<IPAddress> Find(string name) =>
        Known(name).Addresses;

    public void Keep(string name, ImmutableArray<IPAddress> addresses, DateTimeOffset provenAt)
    {
        var kept = addresses.Take(MaxAddresses).ToImmutableArray();
        var (known, now) = (Known(name), Instant.Now(time));
        var due = known.WrittenAt is not { } written || now - written >= WriteEvery;
        var write = due && !known.OnDisk.ToHashSet().SetEquals(kept);
        _names[name] = write && Save(name, kept, provenAt) ? new Entry(kept, kept, now) : known with { Addresses = kept };
    }

    private Entry Known(string name) => _names.GetOrAdd(name, n =>
    {
        var stored = Load(n);
        return new Entry(stored, stored, WrittenAt: null);
    });

    private ImmutableArray<IPAddress> Load(string name)
    {
        try
        {
            var rows = database.Read(c => c.Sql("SELECT addresses FROM last_good_addresses WHERE name=$name", ("$name", Key(name))).List(r => r.GetString(0)));
            return [.. rows.SelectMany(r => r.Split(' ')).Select(a => IPAddress.TryParse(a, out var address) ? address : null).OfType<IPAddress>()];
        }
        catch (SqliteException)
        {
            return [];
        }
    }

    private bool Save(string name, ImmutableArray<IPAddress> addresses, DateTimeOffset provenAt)
    {
        try
        {
            database.Write(t =>
            {
                t.Sql(
                    "INSERT INTO last_good_addresses(name, addresses, proven_at) VALUES($name, $addresses, $at) "
                    + "ON CONFLICT(name) DO UPDATE SET addresses=excluded.addresses, proven_at=excluded.proven_at",
                    ("$name", Key(name)), ("$addresses", string.Join(' ', addresses)), ("$at", provenAt.UtcDateTime.ToString("O", null))).Run();
            });
            return IsWritable = true;
        }
        catch (SqliteException)
        {
            return IsWritable = false;
        }
    }

    private static string Key(string name) => name.TrimEnd('.').ToLowerInvariant();

    private sealed record Entry(ImmutableArray<IPAddress> Addresses, ImmutableArray<IPAddress> OnDisk, Instant? WrittenAt);
}
