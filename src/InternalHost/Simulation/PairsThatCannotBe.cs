namespace InternalHost.Simulation;

/// <summary>What no state of the controller meets. Seen all the same, it is a violation: either this list is wrong or the daemon.</summary>
internal static class PairsThatCannotBe
{
    private const string Apart = "Standby Waiting Starting Stopping";
    private const string Joined = "Connecting Serving Draining Refusing";

    private static readonly (string Phases, string[] Events, string Why)[] Rows =
    [
        ("Standby Waiting Stopping", ["start accepted", "start failed"], "Coming here begins a round, and a start is asked in no round that begins here: its answer is late."),
        ("Standby Waiting Starting", ["stop accepted", "stop failed"], "Coming here begins a round, and a stop is asked in no round that begins here: its answer is late."),
        (Joined, ["stop accepted", "stop failed"], "From Stopping one comes here only before a stop of this round has been asked."),
        (Apart, ["verified", "lost", "troubled"], "The tunnel of this round is not wanted yet: news of another one is late."),
        (Apart, ["drained", "not drained"], "A drain is asked while the tunnel of its round is up, and leaving that begins another round."),
        (Apart, ["sessions none", "sessions some"], "The connection to the agent is closed: whoever still waits for its answer hears that there is none."),
        ("Serving Refusing", ["verified"], "Told once for each tunnel that was not: here it is."),
        ("Serving Refusing", ["troubled"], "What was up is told as lost before it is told what is wrong with it."),
    ];

    private static readonly Dictionary<(string Phase, string Event), string> Known = new(
        from row in Rows
        from phase in row.Phases.Split(' ')
        from ev in row.Events
        select KeyValuePair.Create((phase, ev), row.Why));

    public static int Count => Known.Count;

    /// <summary>Why this pair cannot be; null: it can.</summary>
    public static string? Why(string phase, string ev) => Known.GetValueOrDefault((phase, ev));
}
