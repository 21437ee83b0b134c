using Common.Journal;
using Common.Time;
using InternalHost.Cloud;
using InternalHost.Failover;
using InternalHost.Running;
using InternalHost.Wan;
using InternalHost.Wan.Detection;
using Microsoft.Data.Sqlite;

namespace InternalHost.Simulation;

/// <param name="Seed">The world's whole fate.</param>
/// <param name="Length">Calendar time to live.</param>
/// <param name="Crash">The daemon is killed now and then, between any two steps.</param>
internal sealed record WorldOptions(ulong Seed, TimeSpan Length, bool Crash)
{
    /// <summary>Ends earlier than it was meant to, without changing anything that happens before.</summary>
    public TimeSpan? Until { get; init; }

    /// <summary>Lives through quiet stretches instead of skipping them.</summary>
    public bool LivesQuiet { get; init; }

    /// <summary>A folder for the real journal file; null: SQLite in memory.</summary>
    public string? StateDirectory { get; init; }

    /// <summary>Faults that do not happen.</summary>
    public IReadOnlySet<FaultKind> Without { get; init; } = new HashSet<FaultKind>();

    /// <summary>The longest quiet stretch, in <see cref="World.Quantum"/>.</summary>
    public int LongestQuiet { get; init; } = 35;

    /// <summary>One scene in place of those that chance would draw; the world ends when all has settled after it.</summary>
    public IReadOnlyList<Fault>? Script { get; init; }

    /// <summary>Null: as chance has it.</summary>
    public Lifecycle? Lifecycle { get; init; }

    public Parts Parts { get; init; } = Parts.Real;
}

/// <summary>
/// A seeded world in virtual time with the daemon in it: lines fail, the provider lags, people come and go, and the daemon is killed.
/// After every step the invariants are checked. One thread; the same options give the same life.
/// </summary>
internal sealed partial class World : IDisposable
{
    private readonly int[] _active = new int[FaultKinds.All.Length + 1];
    private readonly List<Fault> _faults = [];
    private readonly WorldOptions _options;
    private Database? _database;
    private Inside? _inside;
    private Instant _booted = Agenda.Origin;
    private int _boots = 1;
    private int _planned;
    private bool _ended;

    public World(WorldOptions options)
    {
        _options = options;
        Streams = new Streams(options.Seed);
        var drawn = Streams.Provider.Hit(0.5) ? Lifecycle.StopStart : Lifecycle.Snapshot;
        Provider = new Provider(Agenda, Streams.Provider, options.Lifecycle ?? drawn) { Acted = OnActed };
        Invariants = new Invariants(this);
        Trace.Agenda = Agenda;
        foreach (var link in Links)
        {
            link.Mend();
        }
    }

    public Agenda Agenda { get; } = new();

    public Streams Streams { get; }

    public Provider Provider { get; }

    public Gateway Gateway { get; } = new();

    public Guillotine Guillotine { get; } = new();

    public Link[] Links { get; } = [new(), new(), new()];

    public Invariants Invariants { get; }

    public Coverage Coverage { get; } = new();

    public Trace Trace { get; } = new();

    public Parts Parts => _options.Parts;

    public bool HasCrashes => _options.Crash;

    public Instant Now => Agenda.Now;

    public Inside? Inside => _inside;

    public TimeSpan WallOffset { get; private set; }

    public long Steps { get; private set; }

    public int Outages { get; private set; }

    public int Served { get; private set; }

    public int Crashes { get; private set; }

    /// <summary>How often each fault has come, by <see cref="FaultKind"/>.</summary>
    public int[] Counts { get; } = new int[FaultKinds.All.Length + 1];

    /// <summary>No scene is on: nothing is left to chance.</summary>
    public bool IsCalm => _planned == 0 && _faults.Count == 0;

    public bool Is(FaultKind kind) => _active[(int)kind] > 0;

    public Link LinkOf(UplinkName name) => Links[(int)name];

    /// <summary>A call of our own gets out now, by one of the uplinks it would be tried by.</summary>
    public bool Reaches
    {
        get
        {
            if (_inside is not { } inside)
            {
                return false;
            }

            foreach (var name in WayOut.Choose(inside.Uplinks.Usable(UplinkName.Primary), inside.Uplinks.Usable(UplinkName.Backup)))
            {
                if (LinkOf(name).Works)
                {
                    return true;
                }
            }

            return false;
        }
    }

    /// <summary>Lives until the end, or to the first violation.</summary>
    /// <param name="ct">Stops it where it is.</param>
    public void Live(CancellationToken ct = default)
    {
        // What is awaited goes on where it is answered, on this thread: a caller's context would take it elsewhere.
        var context = SynchronizationContext.Current;
        SynchronizationContext.SetSynchronizationContext(null);
        try
        {
            Boot();
            NextScene();
            var until = _options.Until ?? TimeSpan.MaxValue;
            while (!_ended && Invariants.Violation is null && Agenda.Calendar < until && !ct.IsCancellationRequested)
            {
                Step();
            }
        }
        finally
        {
            SynchronizationContext.SetSynchronizationContext(context);
        }
    }

    public void Dispose() => _database?.Dispose();

    private void Step()
    {
        var uplinks = _inside?.Uplinks.NextAt ?? Instant.Never;
        var agenda = Agenda.NextAt;
        Agenda.MoveTo(Instant.Min(uplinks, agenda));
        Steps++;
        if (uplinks <= agenda)
        {
            _inside!.Uplinks.Turn();
        }
        else if (!Agenda.RunNext())
        {
            return;
        }

        Turn();
        Invariants.Check();
    }

    private void Turn()
    {
        try
        {
            _inside?.Pump();
        }
        catch (KilledException)
        {
            // Falls through: the guillotine has fallen.
        }

        if (Guillotine.Fallen)
        {
            Guillotine.Reset();
            Die("killed", Streams.Restart.Seconds(1, 6));
        }
    }

    private void Boot()
    {
        if (_inside is not null)
        {
            return;
        }

        _database ??= Open();
        ApplyDisk();
        _inside = new Inside(this, _database, $"boot-{_boots}", _booted);
        Trace.Add("start", _boots);
        try
        {
            _inside.Start();
        }
        catch (KilledException)
        {
            // The next turn sees it.
        }
    }

    private void Die(string how, TimeSpan restart)
    {
        if (_inside is not { } inside)
        {
            return;
        }

        Trace.Add("die", (how, inside.State.Phase.Name));
        Crashes++;
        Invariants.Died(inside);
        inside.Kill();
        _inside = null;
        if (_options.StateDirectory is not null)
        {
            _database?.Dispose();
            _database = null;
        }

        Agenda.After(restart, Boot);
    }

    /// <summary>The machine itself goes down: its monotonic clock begins anew.</summary>
    private void PowerOff(TimeSpan off)
    {
        Die("power", off);
        _boots++;
        _booted = Now + off;
    }

    private Database Open() => _options.StateDirectory is { } directory
        ? StateFile.Open(directory, out _)
        : StateFile.OpenInMemory();

    /// <summary>The real errors of a real SQLite: a full disk, or one that has gone read-only.</summary>
    private void ApplyDisk() => _database?.Read(connection =>
    {
        Run(connection, $"PRAGMA query_only={(Is(FaultKind.DiskReadOnly) ? 1 : 0)}");
        return Run(connection, $"PRAGMA max_page_count={(Is(FaultKind.DiskFull) ? "1" : "1073741823")}");
    });

    private static int Run(SqliteConnection connection, string sql)
    {
        using var command = connection.Sql(sql);
        return Convert.ToInt32(command.ExecuteScalar(), null);
    }

    private void OnActed(Actor by, bool start, Vm? vm)
    {
        Trace.Add("provider", (by, start ? "start" : "stop", vm?.Id));
        Invariants.Acted(by, start, vm);
    }

    /// <summary>Called at each step of the controller.</summary>
    public void Observe(FailoverState before, FailoverEvent ev, FailoverStep step)
    {
        Steps++;
        if (Coverage.Saw(before, ev) is { } cannotBe && Parts == Parts.Real)
        {
            Invariants.Surprised(cannotBe);
        }

        Trace.AddDetail("event", ev);
        Invariants.Stepped(before, ev, step);
        if (before.Outage?.Number != step.Next.Outage?.Number && step.Next.Outage is not null)
        {
            Outages++;
        }

        if (before.Outage is { OpenAt: null } o && step.Next.Outage is { OpenAt: not null } n && o.Number == n.Number)
        {
            Served++;
        }

        Spring(before, step.Next);
        if (before.Phase.Name != step.Next.Phase.Name)
        {
            Trace.Add("phase", (before.Phase.Name, step.Next.Phase.Name, ev));
        }

        foreach (var effect in step.Effects)
        {
            if (!effect.IsQuestion)
            {
                Trace.Add("effect", effect);
            }
        }
    }
}
