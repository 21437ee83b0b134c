using System.Collections.Immutable;
using System.Net;

namespace InternalHost.Configuration;

/// <summary>
/// Who is asked whether the world is there. All of it is configuration; defaults are public operators. Where there are several addresses
/// they are one operator's, of both families: each uplink asks those that it carries.
/// </summary>
/// <param name="IspDns">The provider's own resolver over the primary (empty: not used). Port 53 unless named.</param>
/// <param name="Resolvers">Used to resolve names over either uplink; UDP, then TCP.</param>
/// <param name="ProbeName">The name asked for; random labels go below it, only in Suspect and once a minute.</param>
public sealed record WitnessOptions(
    ImmutableArray<IPEndPoint> IspDns,
    ImmutableArray<IPEndPoint> DnsA,
    ImmutableArray<IPEndPoint> DnsB,
    TlsWitness TlsA,
    TlsWitness TlsB,
    ImmutableArray<IPEndPoint> Resolvers,
    ImmutableArray<IPEndPoint> TimeServers,
    string ProbeName)
{
    /// <summary>Names below <see cref="ProbeName"/> exist (a <c>*</c> record): an address for a random one is then no sign of a hijack.</summary>
    public bool ProbeNameHasWildcard { get; init; }

    /// <summary>Plain HTTP, answered with 204 and nothing else; a portal cannot resist it. Null: off.</summary>
    public Uri? Http { get; init; }

    /// <summary>STUN servers (UDP), each of another operator; empty: off.</summary>
    public ImmutableArray<DnsEndPoint> Stun { get; init; } = [];

    /// <summary>Names whose answer is the asker's own address; the second opinion beside <see cref="Stun"/>. Empty: off.</summary>
    public ImmutableArray<WhoAmI> WhoAmI { get; init; } = [];

    /// <summary>By what is in the lists.</summary>
    public bool Equals(WitnessOptions? other) => other is not null && Key() == other.Key();

    public override int GetHashCode() => Key().GetHashCode(StringComparison.Ordinal);

    private string Key() => string.Join(
        '|',
        string.Join(' ', IspDns),
        string.Join(' ', DnsA),
        string.Join(' ', DnsB),
        $"{TlsA.Name} {string.Join(' ', TlsA.Addresses)} {TlsA.CaFile}",
        $"{TlsB.Name} {string.Join(' ', TlsB.Addresses)} {TlsB.CaFile}",
        string.Join(' ', Resolvers),
        string.Join(' ', TimeServers),
        ProbeName,
        ProbeNameHasWildcard,
        Http,
        string.Join(' ', Stun),
        string.Join(' ', WhoAmI));
}

/// <param name="Name">The certificate must carry it.</param>
/// <param name="Addresses">Asked by address, no resolver needed.</param>
/// <param name="CaFile">PEM of a private root; null: the system's roots.</param>
public sealed record TlsWitness(string Name, ImmutableArray<IPEndPoint> Addresses, string? CaFile = null);

/// <param name="Text">The address is a TXT record's text; else it is the A or AAAA record.</param>
/// <param name="Server">Asked directly: a resolver on the way would be told its own address.</param>
public sealed record WhoAmI(string Name, bool Text, DnsEndPoint Server);
