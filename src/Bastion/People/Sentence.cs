using System.Collections.Immutable;
using System.Globalization;
using Common;
using Common.Configuration;
using Common.Time;

namespace Bastion.People;

/// <summary>What a person's plain login is answered: one sentence a site.</summary>
[PureCore]
internal static class Sentence
{
    private const string Option = "permitopen=\"127.0.0.1:";

    /// <summary>Loopback ports that an authorized_keys text of ours opens, whichever of its keys was used.</summary>
    public static ImmutableSortedSet<int> Ports(string keys) =>
        [.. keys.Split(',', ' ').Where(w => w.StartsWith(Option, StringComparison.Ordinal)).Select(w => int.Parse(w.AsSpan(Option.Length).TrimEnd('"'), CultureInfo.InvariantCulture))];

    /// <param name="sites">Null: the agent says nothing.</param>
    /// <param name="may">The person's ports.</param>
    /// <param name="listening">Loopback ports on which something listens now: a tunnel's.</param>
    /// <param name="now">Since the boot of this machine.</param>
    public static string Of(ImmutableArray<SiteStatus>? sites, ImmutableSortedSet<int> may, IReadOnlySet<int> listening, Instant now)
    {
        if (may.IsEmpty)
        {
            return "Your key is known here, and no service is open to it.";
        }

        var known = sites ?? [];
        var named = known.Where(s => s.Services.Keys.Any(may.Contains)).Select(s => Of(s.Label, s.TunnelSince, [.. may.Where(s.Services.ContainsKey)], s.Services, listening, now));
        var others = may.Where(p => !known.Any(s => s.Services.ContainsKey(p))).ToImmutableArray();
        return string.Join('\n', others.IsEmpty ? named : named.Append(Of("bastion", null, others, ImmutableDictionary<int, string>.Empty, listening, now)));
    }

    private static string Of(string label, long? since, ImmutableArray<int> may, IReadOnlyDictionary<int, string> names, IReadOnlySet<int> listening, Instant now)
    {
        var open = may.Where(listening.Contains).Select(p => names.TryGetValue(p, out var name) ? $"{name} ({Number(p)})" : Number(p)).ToList();
        var up = since is { } ticks ? $" for {Say(now - new Instant(ticks))}" : "";
        return open.Count > 0
            ? $"{label}: way in open{up}; you may jump to {string.Join(", ", open)}."
            : since is null
                ? $"{label}: its tunnel is not connected (VM up {Say(TimeSpan.FromTicks(now.Ticks))}); nothing to reach yet."
                : $"{label}: its tunnel is connected{up}; nothing of yours to reach yet.";
    }

    private static string Say(TimeSpan span) => span < TimeSpan.FromMinutes(1) ? $"{Number((int)Math.Max(0, span.TotalSeconds))} s"
        : span < TimeSpan.FromHours(2) ? $"{Number((int)span.TotalMinutes)} min" : Quantities.Say(TimeSpan.FromMinutes((int)span.TotalMinutes));

    private static string Number(int number) => number.ToString(CultureInfo.InvariantCulture);
}
