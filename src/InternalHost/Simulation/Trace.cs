using System.Collections;
using System.Globalization;
using System.Runtime.CompilerServices;
using InternalHost.Failover;

namespace InternalHost.Simulation;

/// <summary>What happened last. Entries are kept as they are and put into words only when somebody reads them.</summary>
internal sealed class Trace
{
    private const int Kept = 300;

    private readonly Queue<Entry> _last = new();
    private List<Entry>? _all;

    public Agenda? Agenda { get; set; }

    public readonly record struct Entry(TimeSpan At, string What, object? Detail)
    {
        public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{At.TotalSeconds:F3}  {What,-9} {Words(Detail)}");

        private static string Words(object? detail) => detail switch
        {
            null => "",
            ITuple tuple => string.Join(' ', Enumerable.Range(0, tuple.Length).Select(i => Words(tuple[i]))),
            string text => text,
            IEnumerable many => string.Join(' ', many.Cast<object>()),
            Fault f => string.Create(CultureInfo.InvariantCulture, $"{f.Kind.Snake()} for {f.For.TotalSeconds:F1} s, level {f.Level:F2}"),
            FaultKind kind => kind.Snake(),
            FailoverEvent ev => ev.GetType().Name,
            IFormattable f => f.ToString(null, CultureInfo.InvariantCulture),
            _ => detail.ToString() ?? "",
        };
    }

    /// <summary>Everything from here on is kept.</summary>
    public void KeepAll() => _all = [];

    /// <summary>Details that would crowd out the rest where only the last entries are kept.</summary>
    public void AddDetail(string what, FailoverEvent detail)
    {
        if (Detailed)
        {
            Add(what, detail.ToString());
        }
    }

    public bool Detailed { get; set; }

    public void Add(string what, object? detail = null)
    {
        var entry = new Entry(Agenda?.Calendar ?? default, what, detail);
        _all?.Add(entry);
        _last.Enqueue(entry);
        if (_last.Count > Kept)
        {
            _last.Dequeue();
        }
    }

    public IEnumerable<string> Lines() => (_all ?? (IEnumerable<Entry>)_last).Select(e => e.ToString());
}
