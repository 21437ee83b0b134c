using System.Collections.Immutable;
using System.Net;
using Common.Configuration;

namespace Common.Alerts.Policy;

/// <summary>
/// Logins of which the owner does not want to be told at once: from this network <em>and</em> by one of these accounts <em>and</em> with
/// one of these keys, until a day. It takes away the push, never the record or the count in the digest, and nothing critical.
/// </summary>
/// <param name="Keys">Fingerprints, <c>SHA256:...</c>.</param>
/// <param name="Reason">Why, in the owner's words: shown by <c>alerts explain</c>.</param>
/// <param name="Expires">Wall time: it is a day in the owner's calendar.</param>
public sealed record AllowEntry(
    Cidr Network, ImmutableArray<string> Users, ImmutableArray<string> Keys, string Reason, string CreatedBy, DateTimeOffset Expires);

/// <summary>Which entry covers a login, and which entries are refused.</summary>
[PureCore]
public static class AllowList
{
    public static readonly TimeSpan DefaultLife = TimeSpan.FromDays(30);

    /// <summary>An entry for ever is a hole for ever.</summary>
    public static readonly TimeSpan LongestLife = TimeSpan.FromDays(366);

    private const int WidestV4 = 24;
    private const int WidestV6 = 48;

    private static readonly ImmutableArray<(Cidr Network, string What)> Never =
    [
        (Net("127.0.0.0/8"), "this machine's own address: every login through the tunnel comes from there"),
        (Net("::1/128"), "this machine's own address: every login through the tunnel comes from there"),
        (Net("0.0.0.0/8"), "no address of anybody"),
        (Net("169.254.0.0/16"), "link-local: whoever is on the same wire"),
        (Net("fe80::/10"), "link-local: whoever is on the same wire"),
        (Net("100.64.0.0/10"), "carrier-grade NAT: shared with strangers"),
    ];

    private static readonly ImmutableArray<Cidr> Private = [Net("10.0.0.0/8"), Net("172.16.0.0/12"), Net("192.168.0.0/16"), Net("fc00::/7")];

    /// <summary>What is wrong with a network as an entry; null: nothing.</summary>
    /// <param name="iKnow">The owner has said that it is meant to be this wide.</param>
    /// <param name="privateToo">On the inside, where the home network is.</param>
    public static string? Refuse(Cidr network, bool iKnow, bool privateToo)
    {
        var never = Never.FirstOrDefault(n => n.Network.Overlaps(network) && network.Length > 0).What;
        var widest = network.IsV4 ? WidestV4 : WidestV6;
        return network.Length == 0 ? "is everybody: nobody would be told of anything"
            : never is not null ? $"is {never}"
            : !privateToo && Private.Any(p => p.Overlaps(network)) ? "is private: nobody comes from there over the internet"
            : network.Length < widest && !iKnow ? $"is wider than /{widest}: name a smaller one, or add i_know: true"
            : null;
    }

    /// <summary>The first entry that covers the login and has not expired.</summary>
    /// <param name="latest">The latest wall time ever seen: a clock that was set back revives nothing.</param>
    public static AllowEntry? Find(IEnumerable<AllowEntry> entries, IPAddress? from, string user, string? key, DateTimeOffset latest) =>
        from is null || key is null || IPAddress.IsLoopback(from) ? null
            : entries.FirstOrDefault(e => e.Expires > latest && e.Network.Contains(from) && e.Users.Contains(user) && e.Keys.Contains(key));

    private static Cidr Net(string text) => Cidr.Parse(text).Value!;
}
