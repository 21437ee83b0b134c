namespace Bench.Detection;

/// <summary>A way that probes take. Our witnesses and the rivals' targets share the weather: the same seconds are bad for all of them.</summary>
internal enum Lane
{
    IspDns,
    DnsA,

    /// <summary>DNS at 8.8.8.8.</summary>
    DnsB,
    TlsA,

    /// <summary>TLS at the operator of <see cref="DnsB"/>.</summary>
    TlsB,
    Http,

    /// <summary>Ping of 8.8.8.8: what pfSense and OPNsense are told to watch.</summary>
    IcmpGoogle,

    /// <summary>Ping of other public resolvers: mwan3's own choice.</summary>
    IcmpOther,

    /// <summary>From a loss of a half on, the primary leaves by the backup.</summary>
    Egress,
}

/// <summary>From this second on the lane loses this share; or somebody else answers on it.</summary>
internal readonly record struct Change(double At, Lane Lane, double Loss, bool Impostor = false);

/// <summary>A stretch in which the world is really gone.</summary>
internal readonly record struct Outage(double From, double To);

/// <summary>A generated world: what happens to whom, in the order of time.</summary>
/// <param name="Outages">What a detector should find. Empty: each Down is false.</param>
internal sealed record Scenario(string Name, string What, double Seconds, IReadOnlyList<Change> Changes, IReadOnlyList<Outage> Outages);

/// <summary>One rival's view of a scenario. Asked in the order of time; its luck is its own.</summary>
internal sealed class Weather
{
    private readonly Lanes[] _lanes;
    private readonly Random _random;

    private sealed class Lanes(Change[] changes)
    {
        private int _next;
        private double _loss;

        public double LossAt(double seconds)
        {
            while (_next < changes.Length && changes[_next].At <= seconds)
            {
                _loss = changes[_next++].Loss;
            }

            return _loss;
        }
    }

    public Weather(Scenario scenario, int seed)
    {
        _random = new Random(seed);
        _lanes = [.. Enum.GetValues<Lane>().Select(lane => new Lanes([.. scenario.Changes.Where(c => c.Lane == lane)]))];
        Ends = scenario.Seconds;
    }

    public double Ends { get; }

    /// <summary>Something between nothing and the whole: when a monitor happens to have been started.</summary>
    public double Phase(double interval) => _random.NextDouble() * interval;

    /// <summary>Does a probe that leaves now come back?</summary>
    public bool Passes(Lane lane, double seconds) =>
        _lanes[(int)lane].LossAt(seconds) switch { <= 0 => true, >= 1 => false, var loss => _random.NextDouble() >= loss };
}
