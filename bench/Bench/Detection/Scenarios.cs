namespace Bench.Detection;

/// <summary>The worlds of research/wan.md, section 3, from a seed. S1-S8 hold no blackout of 10 s or more, so each Down in them is false.</summary>
internal static class Scenarios
{
    private const double Minute = 60;
    private const double Hour = 3600;
    private const double Day = 86_400;

    private static readonly Lane[] Everything = [Lane.IspDns, Lane.DnsA, Lane.DnsB, Lane.TlsA, Lane.TlsB, Lane.Http, Lane.IcmpGoogle, Lane.IcmpOther];
    private static readonly Lane[] Pings = [Lane.IcmpGoogle, Lane.IcmpOther];
    private static readonly Lane[] Dns = [Lane.IspDns, Lane.DnsA, Lane.DnsB];
    private static readonly Lane[] Tls = [Lane.TlsA, Lane.TlsB];

    /// <summary>Those in which the promise allows no Down at all.</summary>
    public static IEnumerable<Scenario> Harmless(double days, int seed) =>
    [
        Of("S1", "0.4 % loss", days * Day, [new Outage(0, days * Day)], 0.004, Everything),
        Of("S2", "8.8.8.8 throttles ping to 40 % loss, 6 x 10 min a day", days * Day, PerDay(days, 6, 10 * Minute, seed), 0.4, [Lane.IcmpGoogle]),
        Of("S3", "8.8.8.8 and its operator dead, 15 min a day", days * Day, PerDay(days, 1, 15 * Minute, seed), 1, [Lane.IcmpGoogle, Lane.DnsB, Lane.TlsB]),
        Of("S4", "brownouts, 20 s of 60 % loss each 10 min", days * Day, Gilbert(days * Day, 10 * Minute, 20, seed), 0.6, Everything),
        Of("S6", "provider throttles all ping to 60 % loss, 4 x 5 min a day", days * Day, PerDay(days, 4, 5 * Minute, seed), 0.6, Pings),
        Of("S7", "provider's resolver dead, 10 min a day", days * Day, PerDay(days, 1, 10 * Minute, seed), 1, [Lane.IspDns]),
        Of("S8", "30 % loss, 6 x 10 min a day", days * Day, PerDay(days, 6, 10 * Minute, seed), 0.3, Everything),
    ];

    /// <summary>Some of these overlap and are then as long as a short blackout.</summary>
    public static Scenario MicroOutages(double days, int seed) =>
        Of("S5", "micro outages of 1-4 s, 10 an hour", days * Day, Poisson(days * Day, Hour / 10, 1, 4, seed), 1, Everything);

    /// <summary>Everything stops; apart far enough that no monitor's memory reaches from one to the next.</summary>
    public static Scenario Blackouts(string name, int count, double shortest, double longest, int seed)
    {
        var outages = Apart(count, shortest, longest, seed);
        return Of(name, $"{count} blackouts of {shortest:0}-{longest:0} s", End(outages), outages, 1, Everything) with { Outages = outages };
    }

    /// <summary>The world is gone, and something goes on answering.</summary>
    public static IEnumerable<Scenario> HalfDead(int count, int seed)
    {
        var outages = Apart(count, 5 * Minute, 10 * Minute, seed);
        yield return Faked("portal", "DNS, TLS and HTTP answered by a captive portal", [.. Dns, .. Tls, Lane.Http], []);
        yield return Faked("hijack", "DNS answered by a liar, TLS dead", [.. Dns, Lane.Http], Tls);
        yield return Faked("ISP only", "only the provider's resolver answers", [], [.. Everything.Where(l => l != Lane.IspDns)]);

        Scenario Faked(string name, string what, Lane[] faked, Lane[] dead) => new(
            name, what, End(outages),
            [.. outages.SelectMany(o => faked.Select(l => new Change(o.From, l, 0, Impostor: true)).Concat(dead.Select(l => new Change(o.From, l, 1)))
                .Concat([.. faked.Select(l => new Change(o.To, l, 0)), .. dead.Select(l => new Change(o.To, l, 0))]))],
            outages);
    }

    /// <summary>The primary dies and the router sends its address by the backup: a gap of up to 2 s, then everything answers again.</summary>
    public static Scenario RouterFallsOver(int count, int seed)
    {
        var outages = Apart(count, 5 * Minute, 10 * Minute, seed);
        var random = new Random(seed);
        var changes = new List<Change>();
        foreach (var outage in outages)
        {
            var over = outage.From + (random.NextDouble() * 2);
            changes.AddRange(Everything.Select(l => new Change(outage.From, l, 1)));
            changes.AddRange(Everything.Select(l => new Change(over, l, 0)));
            changes.Add(new Change(over, Lane.Egress, 1));
            changes.Add(new Change(outage.To, Lane.Egress, 0));
        }

        return new Scenario("fall-over", "the router sends the primary's address by the backup within 2 s", End(outages), changes, outages);
    }

    private static double End(IReadOnlyList<Outage> outages) => outages[^1].To + (20 * Minute);

    private static Scenario Of(string name, string what, double seconds, IEnumerable<Outage> bad, double loss, Lane[] lanes) => new(
        name, what, seconds, [.. bad.SelectMany(b => lanes.Select(l => new Change(b.From, l, loss)).Concat(lanes.Select(l => new Change(b.To, l, 0))))], []);

    private static List<Outage> Apart(int count, double shortest, double longest, int seed)
    {
        var random = new Random(seed);
        var outages = new List<Outage>();
        var at = 10 * Minute;
        for (var i = 0; i < count; i++)
        {
            at += (25 + (30 * random.NextDouble())) * Minute;
            var length = shortest + ((longest - shortest) * random.NextDouble());
            outages.Add(new Outage(at, at + length));
            at += length;
        }

        return outages;
    }

    /// <summary>So many a day, each at random in its share of the day.</summary>
    private static List<Outage> PerDay(double days, int count, double length, int seed)
    {
        var random = new Random(seed);
        var slot = Day / count;
        return [.. Enumerable.Range(0, (int)(days * count)).Select(i => (i * slot) + (random.NextDouble() * (slot - length))).Select(t => new Outage(t, t + length))];
    }

    /// <summary>Two states whose lengths are exponential.</summary>
    private static List<Outage> Gilbert(double seconds, double meanGood, double meanBad, int seed)
    {
        var random = new Random(seed);
        var bad = new List<Outage>();
        for (var at = Exponential(random, meanGood); at < seconds; at += Exponential(random, meanGood))
        {
            var to = Math.Min(seconds, at + Exponential(random, meanBad));
            bad.Add(new Outage(at, to));
            at = to;
        }

        return bad;
    }

    /// <summary>Beginnings by chance; those that overlap become one.</summary>
    private static List<Outage> Poisson(double seconds, double meanGap, double shortest, double longest, int seed)
    {
        var random = new Random(seed);
        var merged = new List<Outage>();
        for (var at = Exponential(random, meanGap); at < seconds; at += Exponential(random, meanGap))
        {
            var to = at + shortest + ((longest - shortest) * random.NextDouble());
            if (merged.Count > 0 && at <= merged[^1].To)
            {
                merged[^1] = merged[^1] with { To = Math.Max(merged[^1].To, to) };
            }
            else
            {
                merged.Add(new Outage(at, to));
            }
        }

        return merged;
    }

    private static double Exponential(Random random, double mean) => -mean * Math.Log(1 - random.NextDouble());
}
