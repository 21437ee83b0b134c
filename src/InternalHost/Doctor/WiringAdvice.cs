using System.Collections.Immutable;
using Common;
using InternalHost.Configuration;

namespace InternalHost.Doctor;

/// <param name="Addresses">IPv4 addresses on it.</param>
/// <param name="LeadsOut">It has a gateway.</param>
internal readonly record struct HostLink(string Interface, int Addresses, bool LeadsOut);

/// <summary>Which wiring this machine's links are made for.</summary>
[PureCore]
internal static class WiringAdvice
{
    /// <returns>Unknown: nothing leads out. Why: for a person, with what is missing.</returns>
    public static (Wiring Wiring, string Why) Suggest(ImmutableArray<HostLink> links)
    {
        var leading = links.Where(l => l.LeadsOut).ToList();
        return leading switch
        {
            [] => (Wiring.Unknown, "no interface has a gateway: ip route"),
            [var one, var other, ..] => (Wiring.A, $"{one.Interface} and {other.Interface} both lead out"),
            [{ Addresses: > 1 } one] => (Wiring.B, $"{one.Interface} has {one.Addresses} addresses; the router must send each by one line"),
            [var one] => (Wiring.C, $"only {one.Interface} leads out, with one address: give it a second one that the router sends by the other line (wiring B), "
                + "or, if it goes by the backup, let others watch the primary (wiring C)"),
        };
    }
}
