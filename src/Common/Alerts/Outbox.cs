using System.Collections.Immutable;
using System.Threading.Channels;
using Common.Journal;
using Microsoft.Data.Sqlite;

namespace Common.Alerts;

/// <summary>One way to reach one person. The routes of a person are tried in the order of their ranks, or as given.</summary>
/// <param name="Channel"><see cref="IMessageChannel.Name"/>.</param>
/// <param name="Recipient">Number, chat or address, as the channel wants it.</param>
/// <param name="Rank">Place in the person's order; below zero: as given.</param>
public sealed record Route(string Channel, string Recipient, string Person, int Rank = -1)
{
    /// <summary>The person of a route that all read together (a group chat): who has it confirmed has everybody told.</summary>
    public const string Everybody = "*";

    /// <summary>A number that is a person of its own.</summary>
    public static Route Sms(string number) => new("sms", number, number);
}

/// <summary>
/// Alerts on their way to people. What was added is on disk before anything is sent; while the disk cannot be written, alerts are
/// kept and sent from memory, <see cref="Problem"/> says so, and they are written as soon as the disk takes them (I4).
/// <see cref="OutboxService"/> delivers.
/// </summary>
/// <remarks>
/// Identity is the alert's id: raising twice is one alert. Ids are short, so two different alerts (other kind or subject) may meet
/// in one id: the later one gets <see cref="AlertId.LongLength"/> characters, in its text too, and is not lost.
/// </remarks>
public sealed class Outbox
{
    /// <summary>For the numbered migrations of the program's one state file.</summary>
    public const string Migration = OutboxSql.Migration;

    /// <summary>A later one, to be appended.</summary>
    public const string DetailsMigration = OutboxSql.DetailsMigration;

    /// <summary>The channel of an alert that has nobody to go to.</summary>
    public const string Nowhere = "none";

    private readonly Database _database;
    private readonly Lock _gate = new();
    private readonly Channel<bool> _wake = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });

    // Guarded by _gate: what the disk does not have yet, and memory-only alerts that the service has not taken.
    private readonly Dictionary<string, OpenAlert> _unwritten = new(StringComparer.Ordinal);
    private readonly Dictionary<DeliveryKey, Delivery> _unsaved = [];
    private readonly List<OpenAlert> _untaken = [];
    private volatile string? _problem;
    private volatile bool _news = true;
    private long _after;

    /// <summary>Make it before anything is added in this run of the program: what is there now is from an earlier one.</summary>
    public Outbox(Database database)
    {
        _database = database;
        LastBefore = Try(() => _database.Read(OutboxSql.LastSequence), long.MaxValue);
    }

    /// <summary>Alerts up to this one are of an earlier run, which may have sent them while it could not write so.</summary>
    internal long LastBefore { get; }

    /// <summary>Why alerts are kept in memory only; null while all is on disk.</summary>
    public string? Problem => _problem;

    internal ChannelReader<bool> Signals => _wake.Reader;

    /// <summary>Something was added that the service has not yet taken.</summary>
    internal bool HasNews => _news;

    /// <summary>
    /// Adds an alert in the caller's transaction, so that it and what caused it are on disk together or not at all. Call
    /// <see cref="Wake"/> after the commit; where the transaction fails, <see cref="Raise"/> the alert instead. False: known already.
    /// </summary>
    public static bool Add(SqliteTransaction transaction, Alert alert, IReadOnlyList<Route> routes)
    {
        if (OutboxSql.Find(transaction, alert.Id) is not { } known)
        {
            return OutboxSql.Insert(transaction, OpenAlert.New(alert, routes));
        }

        return !OpenAlert.IsSame(known, alert) && OutboxSql.Insert(transaction, OpenAlert.New(OpenAlert.WithLongId(alert), routes));
    }

    /// <summary>Sends alerts that had nobody to go to, and have waited, by these routes. Before the service starts.</summary>
    public static void Readdress(Database database, IReadOnlyList<Route> routes)
    {
        if (routes.Count > 0)
        {
            database.Write(transaction => OutboxSql.Readdress(transaction, Nowhere, alert => OpenAlert.New(alert, routes)));
        }
    }

    /// <summary>Adds an alert by itself: on disk when this returns, or in memory where the disk fails. False: known already.</summary>
    public bool Raise(Alert alert, IReadOnlyList<Route> routes)
    {
        bool added;
        lock (_gate)
        {
            added = ApartLocked(alert) is { } own && AddLocked(own, routes);
        }

        Wake();
        return added;
    }

    /// <summary>How these alerts stand, each of one delivery, as far as the disk knows.</summary>
    internal ImmutableArray<Test.ChannelTest> TestsOf(IReadOnlyCollection<string> ids) =>
        Try(() => _database.Read(connection => OutboxSql.TestsOf(connection, ids)), []);

    /// <summary>Tells the service to look for new alerts now.</summary>
    public void Wake()
    {
        _news = true;
        Signal();
    }

    /// <summary>Wakes the loop for any other reason.</summary>
    internal void Signal() => _wake.Writer.TryWrite(true);

    /// <summary>Messages that will not arrive, newest first, each with its reason.</summary>
    internal IReadOnlyList<DeadLetter> RecentDeadLetters(int limit) =>
        Try(() => _database.Read(connection => OutboxSql.DeadLetters(connection, limit)), []);

    internal int DeadCount() => Try(() => _database.Read(OutboxSql.CountDead), 0);

    /// <summary>Alerts with something left to do that the service does not have, in the order they were raised.</summary>
    internal IReadOnlyList<OpenAlert> TakeNews()
    {
        _news = false;
        var fromDisk = Try(() => _database.Read(connection => OutboxSql.Open(connection, _after)), []);
        _after = fromDisk.Select(a => a.Sequence).Append(_after).Max();
        lock (_gate)
        {
            var taken = fromDisk.Concat(_untaken).ToList();
            _untaken.Clear();
            return taken;
        }
    }

    /// <summary>Writes what has become of a delivery, with everything that earlier writes could not. In memory until then.</summary>
    internal void Save(Delivery delivery)
    {
        lock (_gate)
        {
            _unsaved[delivery.Key] = delivery;
            WriteBackLocked();
        }
    }

    /// <summary>Tries the disk again.</summary>
    internal void WriteBack()
    {
        lock (_gate)
        {
            WriteBackLocked();
        }
    }

    /// <summary>Forgets old settled alerts: the file stays bounded.</summary>
    internal void Prune(int keep) => Try(() => _database.Write(transaction => OutboxSql.Prune(transaction, keep)), 0);

    private void WriteBackLocked()
    {
        try
        {
            _database.Write(transaction =>
            {
                foreach (var alert in _unwritten.Values)
                {
                    OutboxSql.Insert(transaction, alert);
                }

                foreach (var delivery in _unsaved.Values)
                {
                    OutboxSql.Update(transaction, delivery);
                }
            });
            _unwritten.Clear();
            _unsaved.Clear();
            _problem = null;
        }
        catch (SqliteException e)
        {
            Tell(e);
        }
    }

    private bool AddLocked(Alert alert, IReadOnlyList<Route> routes)
    {
        try
        {
            return _database.Write(transaction => Add(transaction, alert, routes));
        }
        catch (SqliteException e)
        {
            Tell(e);
            return KeepLocked(alert, routes);
        }
    }

    private bool KeepLocked(Alert alert, IReadOnlyList<Route> routes)
    {
        // A full or read-only disk can usually still be read. Where not, twice told is better than not told.
        var known = Try(() => _database.Read(connection => OutboxSql.Find(connection, alert.Id)), null);
        var own = known is null ? alert : OpenAlert.IsSame(known, alert) ? null : ApartLocked(OpenAlert.WithLongId(alert));
        if (own is null)
        {
            return false;
        }

        var open = OpenAlert.New(own, routes);
        _unwritten[own.Id] = open;
        _untaken.Add(open);
        return true;
    }

    /// <summary>The alert under an id that no other alert in memory has; null: it is there already.</summary>
    private Alert? ApartLocked(Alert alert)
    {
        if (!_unwritten.TryGetValue(alert.Id, out var known))
        {
            return alert;
        }

        return OpenAlert.IsSame(known.Alert, alert) || alert.Id.Length >= AlertId.LongLength ? null : ApartLocked(OpenAlert.WithLongId(alert));
    }

    private T Try<T>(Func<T> work, T otherwise)
    {
        try
        {
            return work();
        }
        catch (SqliteException e)
        {
            Tell(e);
            return otherwise;
        }
    }

    private void Tell(SqliteException e) => _problem = $"the state file fails ({OutboxSql.Words(e)}): alerts are kept and sent from memory";
}

/// <param name="RaisedAt">Wall time of the alert.</param>
public sealed record DeadLetter(string AlertId, string Kind, string Text, string Channel, string? Code, string Reason, DateTimeOffset RaisedAt);
