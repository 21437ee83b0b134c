using System.Globalization;
using System.Reflection;
using Common.Time;

namespace InternalHost.Wan.Clock;

/// <summary>Where the time that certificates are held against comes from. Shown to people: numbers are fixed.</summary>
internal enum TimeSource
{
    Unknown = 0,

    /// <summary>The kernel says that its clock is synchronised.</summary>
    Kernel = 1,

    /// <summary>Two time servers agreed.</summary>
    Sntp = 2,

    /// <summary>A server said so after its certificate was verified.</summary>
    Server = 3,

    /// <summary>Only a lower bound: the day of this build, or the last time we were sure of.</summary>
    Floor = 4,
}

/// <summary>
/// The time that certificates are held against: a machine without a battery clock wakes up in 1970 while the primary, and with it its
/// time server, is dead. Kernel, else SNTP, else a floor that goes on with the monotonic clock. The unsynchronised wall clock is never
/// believed, forward or backward.
/// </summary>
/// <remarks>
/// One exception to "never earlier than the floor": a synchronised kernel outranks the journal (not the build date), or one lie of
/// two time servers would be believed for ever.
/// </remarks>
internal sealed class TrustedTime
{
    /// <summary>A lower bound that is ahead by this little is a crystal's or a web server's error, no contradiction.</summary>
    private static readonly TimeSpan Drift = TimeSpan.FromMinutes(1);

    private readonly IKernelClock _kernel;
    private readonly TimeProvider _time;
    private readonly DateTimeOffset _buildDate;
    private readonly Lock _gate = new();
    private Anchor _anchor;

    /// <param name="lastKnown">The journal's last time; null: none.</param>
    public TrustedTime(IKernelClock kernel, TimeProvider time, DateTimeOffset? lastKnown, DateTimeOffset buildDate)
    {
        (_kernel, _time, _buildDate) = (kernel, time, buildDate);
        _anchor = new Anchor(lastKnown > buildDate ? lastKnown.Value : buildDate, Instant.Now(time), TimeSource.Floor);
    }

    /// <summary>The day this program's source was released, from its own assembly.</summary>
    public static DateTimeOffset BuildDate { get; } = DateTimeOffset.FromUnixTimeSeconds(long.Parse(
        typeof(TrustedTime).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().First(a => a.Key == "SourceDateEpoch").Value!,
        CultureInfo.InvariantCulture));

    public DateTimeOffset Now => Read().Now;

    public TimeSource Source => Read().Source;

    /// <summary>One consistent reading: the time, what it rests on, and how long ago that was confirmed.</summary>
    public TimeReading Read()
    {
        var synchronised = _kernel.IsSynchronised;
        lock (_gate)
        {
            var now = Instant.Now(_time);
            var wall = _time.GetUtcNow();
            if (synchronised && wall >= _buildDate)
            {
                _anchor = new Anchor(wall, now, TimeSource.Kernel);
            }

            return new TimeReading(_anchor.Wall + (now - _anchor.At), _anchor.Source, now - _anchor.At);
        }
    }

    /// <summary>What two time servers agreed on. Not taken when it lies before what we know has passed.</summary>
    public bool OfferSntp(DateTimeOffset wall, Instant at)
    {
        lock (_gate)
        {
            // From a lower bound time may only go on; from a confirmed time small corrections go both ways.
            var known = _anchor.Wall + (at - _anchor.At);
            var floor = _anchor.Source is TimeSource.Floor or TimeSource.Server ? known : _buildDate;
            if (wall < floor - Drift)
            {
                return false;
            }

            _anchor = new Anchor(wall > floor ? wall : floor, at, TimeSource.Sntp);
            return true;
        }
    }

    /// <summary>The Date of a server whose certificate was verified: moves a time that is only a lower bound forward.</summary>
    public void OfferServerDate(DateTimeOffset date)
    {
        var reading = Read();
        if (reading.Source is not (TimeSource.Floor or TimeSource.Server) || date <= reading.Now)
        {
            return;
        }

        lock (_gate)
        {
            _anchor = new Anchor(date, Instant.Now(_time), TimeSource.Server);
        }
    }

    private readonly record struct Anchor(DateTimeOffset Wall, Instant At, TimeSource Source);
}

/// <param name="Age">Since the source last confirmed it.</param>
internal readonly record struct TimeReading(DateTimeOffset Now, TimeSource Source, TimeSpan Age)
{
    /// <summary>
    /// Whether the true time may well be later: a certificate that is not valid yet is then no lie. One that has expired is, whatever
    /// the source.
    /// </summary>
    public bool IsLowerBound => Source is TimeSource.Floor or TimeSource.Server;
}
