using System.Collections.Immutable;
using System.Net;
using System.Net.Sockets;
using InternalHost.Cloud;

namespace InternalHost.Naming;

/// <summary>The addresses that a name is to have: at most one of each family.</summary>
/// <param name="V4">Null: the name has no A record.</param>
/// <param name="V6">Null: the name has no AAAA record; an old one would send phones to a stranger.</param>
internal sealed record NameAddresses(IPAddress? V4, IPAddress? V6)
{
    /// <summary>So soon an old answer is forgotten, whoever has asked.</summary>
    public const int TtlSeconds = 60;

    public IEnumerable<IPAddress> All => new[] { V4, V6 }.OfType<IPAddress>();

    public static NameAddresses Of(ImmutableArray<IPAddress> addresses) => new(
        addresses.FirstOrDefault(a => a.AddressFamily == AddressFamily.InterNetwork), addresses.FirstOrDefault(a => a.AddressFamily == AddressFamily.InterNetworkV6));
}

/// <summary>Port to whoever keeps the DNS zone of <c>bastion.name</c>.</summary>
internal interface INameRecords
{
    /// <summary>From now on the name has these addresses and no others. May be repeated.</summary>
    /// <exception cref="CloudException"/>
    Task PutAsync(string name, NameAddresses addresses, CancellationToken ct);
}
