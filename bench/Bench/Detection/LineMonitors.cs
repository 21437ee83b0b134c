namespace Bench.Detection;

/// <summary>How somebody else decides that a line is down; rules and defaults as in research/wan.md, section 4.</summary>
internal interface ILineMonitor
{
    string Name { get; }

    /// <summary>What it is a model of.</summary>
    string Model { get; }

    /// <summary>Mean seconds from a blackout to Down that section 4 gives.</summary>
    double KnownMean { get; }

    /// <summary>Each change of opinion: when, and is it down.</summary>
    IEnumerable<(double At, bool Down)> Watch(Weather weather);
}

internal static class LineMonitors
{
    public static readonly IReadOnlyList<ILineMonitor> All =
    [
        new Dpinger("pfSense", 14.8, SendEvery: 0.5, LostAfter: 2),
        new Dpinger("OPNsense", 16.3, SendEvery: 1, LostAfter: 4),
        new Peplink(),
        new Mwan3("mwan3", 85, Every: 10, Timeout: 4, DownAfter: 5, UpAfter: 5),
        new Mwan3("mwan3 5/2/3/8", 24.5, Every: 5, Timeout: 2, DownAfter: 3, UpAfter: 8),
    ];
}

/// <summary>
/// One ping target, loss averaged over 60 s, alarm above 20 %. A request is lost once it is older than the loss interval; younger ones
/// without a reply are not counted. Ten clear looks end the alarm: dpinger's own hold, and about what OPNsense's
/// pause of 10 s after an alarm comes to.
/// </summary>
internal sealed record Dpinger(string Name, double KnownMean, double SendEvery, double LostAfter) : ILineMonitor
{
    private const double Window = 60;
    private const int AlarmAbovePercent = 20;
    private const int ClearLooks = 10;

    /// <summary>Each second, in a loop that takes its own time: the looks do not keep step with the sending.</summary>
    private const double LookEvery = 1.003;

    public string Model => "model of dpinger with its settings";

    public IEnumerable<(double At, bool Down)> Watch(Weather weather)
    {
        var slots = new bool[(int)(Window / SendEvery)];
        var young = (int)(LostAfter / SendEvery);
        var (lost, answered, down, clear) = (0, 0, false, 0);
        var look = weather.Phase(LookEvery);
        var n = 0L;
        for (var at = weather.Phase(SendEvery); at < weather.Ends; at += SendEvery, n++)
        {
            for (; look < at; look += LookEvery)
            {
                var alarm = lost + answered > 0 && 100 * lost / (lost + answered) > AlarmAbovePercent;
                clear = alarm ? 0 : clear + 1;
                if (alarm != down && (alarm || clear > ClearLooks))
                {
                    down = alarm;
                    yield return (look, down);
                }
            }

            // The slot that is used again leaves the average; the one that has now waited long enough enters it as a loss.
            var i = n % slots.Length;
            if (n >= slots.Length)
            {
                answered -= slots[i] ? 1 : 0;
                lost -= slots[i] ? 0 : 1;
            }

            slots[i] = weather.Passes(Lane.IcmpGoogle, at);
            answered += slots[i] ? 1 : 0;
            lost += n >= young && !slots[(n - young) % slots.Length] ? 1 : 0;
        }
    }
}

/// <summary>Health check by DNS: the line's own two servers each 5 s, 5 s to answer; three failures are down, three successes up.</summary>
internal sealed record Peplink : ILineMonitor
{
    private const double Every = 5;
    private const int InARow = 3;

    public string Name => "Peplink";

    public string Model => "model of its DNS health check";

    public double KnownMean => 17.6;

    public IEnumerable<(double At, bool Down)> Watch(Weather weather)
    {
        var (down, against) = (false, 0);
        for (var at = weather.Phase(Every); at < weather.Ends; at += Every)
        {
            var first = weather.Passes(Lane.IspDns, at);
            var failed = !weather.Passes(Lane.IspDns, at) && !first;
            against = failed == down ? 0 : against + 1;
            if (against == InARow)
            {
                (down, against) = (failed, 0);
                yield return (failed ? at + Every : at, down);
            }
        }
    }
}

/// <summary>Pings two targets one after the other until one answers; bad rounds in a row are down, good ones up; then sleeps.</summary>
internal sealed record Mwan3(string Name, double KnownMean, double Every, double Timeout, int DownAfter, int UpAfter) : ILineMonitor
{
    private const int Targets = 2;
    private const double Rtt = 0.03;

    public string Model => "model of mwan3track with two targets";

    public IEnumerable<(double At, bool Down)> Watch(Weather weather)
    {
        var (down, against) = (false, 0);
        for (var at = weather.Phase(Every); at < weather.Ends; at += Every)
        {
            var good = false;
            for (var i = 0; i < Targets && !good; i++)
            {
                good = weather.Passes(Lane.IcmpOther, at);
                at += good ? Rtt : Timeout;
            }

            against = good != down ? 0 : against + 1;
            if (against == (down ? UpAfter : DownAfter))
            {
                (down, against) = (!down, 0);
                yield return (at, down);
            }
        }
    }
}
