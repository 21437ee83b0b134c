using System.Collections.Immutable;
using System.Net;
using Common.Logins.Recording;
using Common.Logins;
using Common.Text;
using Common.Time;

namespace Common.Logins.Policy;

/// <summary>A connection that tried to log in and did not, as one line of sshd says it. One connection is several lines.</summary>
/// <param name="User">Chosen by a stranger: sanitised and capped. Null: the line names nobody.</param>
[PureCore]
internal sealed record FailedAttempt(string? User, IPEndPoint? From)
{
    public static FailedAttempt? Of(SshdMessage message) => message switch
    {
        SshdMessage.Failed f => new(SafeText.Clean(f.User, SafeText.NameCap), f.From),
        SshdMessage.InvalidUser i => new(SafeText.Clean(i.User, SafeText.NameCap), i.From),
        SshdMessage.Ended { BeforeLogin: true } e => new(SafeText.Clean(e.User, SafeText.NameCap), e.From),
        SshdMessage.Dropped d => new(null, d.From),
        _ => null,
    };
}

/// <summary>One entry of a bounded count: at least <see cref="Sure"/>, at most <see cref="Attempts"/>.</summary>
/// <param name="Error">What the entry took over from the one that it replaced.</param>
/// <param name="Last">Monotonic.</param>
/// <param name="Ports">Of the last connections, so that the lines of one count once.</param>
internal sealed record FailedCount(long Attempts, long Error, Instant Last, ImmutableArray<int> Ports)
{
    public long Sure => Attempts - Error;
}

/// <summary>
/// Failed attempts counted in bounded space, whatever is sent (space-saving: the heaviest stay, the count of one that comes late may be
/// too high by a known error). Attempts are connections, not lines.
/// </summary>
/// <param name="HourSince">Monotonic; null: nothing is counted.</param>
/// <param name="Told">When a summary was sent last.</param>
[PureCore]
internal sealed record FailedLogins(
    ImmutableDictionary<string, FailedCount> Networks, ImmutableDictionary<string, FailedCount> Users,
    long Total, DateTimeOffset? Since, Instant? HourSince, long HourCount, Instant? Told)
{
    public const int MostNetworks = 256;
    public const int MostUsers = 64;

    /// <summary>An hour with more than this is told, once a day.</summary>
    public const long NoisyHour = 500;

    /// <summary>A network that was quiet for this long begins anew.</summary>
    public static readonly TimeSpan Forgiven = TimeSpan.FromHours(1);

    private static readonly TimeSpan Hour = TimeSpan.FromHours(1);
    private static readonly TimeSpan TellEvery = TimeSpan.FromDays(1);
    private const int KnownPorts = 8;

    public static readonly FailedLogins None = new(
        ImmutableDictionary.Create<string, FailedCount>(StringComparer.Ordinal), ImmutableDictionary.Create<string, FailedCount>(StringComparer.Ordinal), 0, null, null, 0, null);

    /// <summary>When <see cref="Hourly"/> has something to say.</summary>
    public Instant Due => HourSince is { } since ? since + Hour : Instant.Never;

    /// <param name="wall">For people.</param>
    public FailedLogins Add(FailedAttempt attempt, Instant now, DateTimeOffset wall)
    {
        var network = LoginNetwork.Of(attempt.From?.Address);
        var known = Networks.GetValueOrDefault(network);
        if (known is not null && attempt.From is { Port: var port } && known.Ports.Contains(port) && now - known.Last < Forgiven)
        {
            return attempt.User is { } named && !Users.ContainsKey(named) ? this with { Users = Count(Users, named, MostUsers, now, null) } : this;
        }

        return this with
        {
            Networks = Count(Networks, network, MostNetworks, now, attempt.From?.Port),
            Users = attempt.User is { } user ? Count(Users, user, MostUsers, now, null) : Users,
            Total = Total + 1,
            Since = Since ?? wall,
            HourSince = HourSince ?? now,
            HourCount = HourCount + 1,
        };
    }

    /// <summary>Connections of late from where somebody has now logged in; the connection of the login itself is not one.</summary>
    public int Before(IPEndPoint? login, Instant now) =>
        login is not null && Networks.GetValueOrDefault(LoginNetwork.Of(login.Address)) is { } known && now - known.Last < Forgiven
            ? (int)Math.Min(1_000_000, known.Sure - (known.Ports.Contains(login.Port) ? 1 : 0))
            : 0;

    /// <summary>The end of an hour: was it noisy, and is it time to say so? What was told begins anew.</summary>
    public (FailedLogins Next, bool Tell) Hourly(Instant now)
    {
        if (now < Due)
        {
            return (this, false);
        }

        var tell = HourCount > NoisyHour && (Told is not { } told || now - told >= TellEvery);
        return (tell ? Afresh(now) : this with { HourSince = null, HourCount = 0 }, tell);
    }

    /// <summary>Networks that are still at it are remembered: one of them may get in the next minute.</summary>
    private FailedLogins Afresh(Instant now) => None with
    {
        Networks = Networks.RemoveRange(Networks.Where(n => now - n.Value.Last >= Forgiven).Select(n => n.Key)),
        Told = now,
    };

    public IEnumerable<KeyValuePair<string, FailedCount>> TopNetworks(int count) => Top(Networks, count);

    public IEnumerable<KeyValuePair<string, FailedCount>> TopUsers(int count) => Top(Users, count);

    private static IEnumerable<KeyValuePair<string, FailedCount>> Top(ImmutableDictionary<string, FailedCount> counts, int count) =>
        counts.OrderByDescending(c => c.Value.Attempts).ThenBy(c => c.Key, StringComparer.Ordinal).Take(count);

    private static ImmutableDictionary<string, FailedCount> Count(ImmutableDictionary<string, FailedCount> counts, string key, int most, Instant now, int? port)
    {
        if (counts.TryGetValue(key, out var known))
        {
            return counts.SetItem(key, now - known.Last >= Forgiven && port is not null
                ? new FailedCount(1, 0, now, [port.Value])
                : known with { Attempts = known.Attempts + 1, Last = now, Ports = With(known.Ports, port) });
        }

        if (counts.Count < most)
        {
            return counts.Add(key, new FailedCount(1, 0, now, With([], port)));
        }

        var least = counts.MinBy(c => c.Value.Attempts);
        return counts.Remove(least.Key).Add(key, new FailedCount(least.Value.Attempts + 1, least.Value.Attempts, now, With([], port)));
    }

    private static ImmutableArray<int> With(ImmutableArray<int> ports, int? port) =>
        port is not { } one ? ports : [.. ports.TakeLast(KnownPorts - 1), one];
}
