using System.Net.Sockets;
using Common.Time;

namespace InternalHost.Wan.Detection;

/// <summary>Who is asked whether the world is there. Each is another operator; the names are those of a world trace (DESIGN 10).</summary>
internal enum WitnessName
{
    Unknown = 0,

    /// <summary>The provider's own resolver: proves the access network only, and never decides alone in either direction.</summary>
    IspDns = 1,
    DnsA = 2,
    DnsB = 3,
    TlsA = 4,
    TlsB = 5,

    /// <summary>Our own bastion while it runs, over this uplink: proves its host key; at most every 30 s, and no vote in Suspect.</summary>
    Bastion = 6,

    /// <summary>Asks for a 204. Only classifies: Answered = 204, Refuted = a portal's redirect or page.</summary>
    Http = 7,

    /// <summary>The public address by this uplink. Answered = its own, Refuted = it leaves by the other uplink, Lost = not found out.</summary>
    Egress = 8,

    /// <summary>Wiring C: a command that asks the router. Answered = up, Refuted = down, Lost = it does not know.</summary>
    Router = 9,

    /// <summary>
    /// Wiring C: a box on the LAN that is routed by the primary relays a TLS witness. Authenticated = up, Refuted = the box answers,
    /// the world does not, Lost = the box itself is silent.
    /// </summary>
    Lan = 10,

    /// <summary>Wiring C: the primary's own public address asked from outside. Weak: Answered or Lost.</summary>
    Outside = 11,
}

internal static class WitnessNames
{
    /// <summary>A TLS witness can prove who answered; nobody else can.</summary>
    public static bool IsTls(this WitnessName name) => name is WitnessName.TlsA or WitnessName.TlsB;

    /// <summary>Asked by this uplink whether the world is there; the others only classify, or are rules of their own.</summary>
    public static bool IsVoter(this WitnessName name) => name is >= WitnessName.IspDns and <= WitnessName.TlsB;

    /// <summary>Beyond the provider's own network.</summary>
    public static bool IsOffNet(this WitnessName name) => name != WitnessName.IspDns;
}

/// <summary>One question to one witness, as the detector wants it asked.</summary>
/// <param name="Round">Number of the round it belongs to; 0: a single probe of the quiet rotation.</param>
/// <param name="Full">TLS: the whole handshake with the name verified; otherwise a TCP connect is enough.</param>
/// <param name="RandomLabel">DNS: below a label nobody has asked for, so that no cache can answer.</param>
/// <param name="Timeout">Later than this is a miss; an answer that still comes is told as <see cref="ProbeResult.IsLate"/>.</param>
/// <param name="Counted">Stands for its second in the loss figure (<see cref="LossWindow"/>).</param>
/// <param name="Family">By which family to ask; Unspecified: by whichever the witness has.</param>
internal readonly record struct ProbeRequest(
    WitnessName Witness, int Round, bool Full, bool RandomLabel, TimeSpan Timeout, bool Counted = false,
    AddressFamily Family = AddressFamily.Unspecified);

/// <summary>A witness, and a family by which it can be asked.</summary>
internal readonly record struct WitnessFamily(WitnessName Witness, AddressFamily Family);

internal enum ProbeOutcome
{
    Unknown = 0,

    /// <summary>No answer in time, or an error: which one decides nothing (an IPv4 probe without a route just times out).</summary>
    Lost = 1,

    /// <summary>Something answered as the witness would; anybody on the way could have.</summary>
    Answered = 2,

    /// <summary>The witness proved its name.</summary>
    Authenticated = 3,

    /// <summary>
    /// Something answered in its place: a TLS server that cannot prove the name, a page instead of the 204, an address for a random label,
    /// the other uplink's address. As good as lost for the uplink's life, and a sign of what is wrong.
    /// </summary>
    Refuted = 4,
}

/// <param name="SentAt">When it left; darkness is counted from here, not from the answer.</param>
/// <param name="IsLate">The miss was told already; the answer came after the timeout: the link is slow, not dark.</param>
internal readonly record struct ProbeResult(
    ProbeRequest Request, Instant SentAt, Instant At, ProbeOutcome Outcome, bool IsLate = false)
{
    public bool IsAnswer => Outcome is ProbeOutcome.Answered or ProbeOutcome.Authenticated;
}
