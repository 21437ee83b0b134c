using System.Collections.Immutable;
using System.Net;
using InternalHost.Wan.Detection;
using InternalHost.Wan.Links;

namespace InternalHost.Configuration;

/// <summary>How primary and backup are told apart on this host (DESIGN 4).</summary>
public enum Wiring
{
    Unknown = 0,

    /// <summary>An interface or VLAN each.</summary>
    A = 1,

    /// <summary>One wire, two source addresses; the router sends each by one uplink.</summary>
    B = 2,

    /// <summary>This host is routed by the backup only; the primary is watched by <see cref="PrimaryObservation"/>.</summary>
    C = 3,

    /// <summary>The primary cannot be watched at all: no automatic failover, only the operator's <c>open</c>.</summary>
    D = 4,
}

/// <summary>Wiring C: how the primary is watched from a host that is routed by the backup. At least one strong one is set.</summary>
/// <param name="Command">
/// Strong. Program and arguments that ask the router; prints <c>up</c>, <c>down</c> or <c>unknown</c>, then the age in seconds, then the
/// primary's public address, the last two if it knows them. Empty: none.
/// </param>
/// <param name="Lan">Strong. SOCKS 5 relay on a LAN box that is routed by the primary.</param>
/// <param name="Outside">Weak. The primary's public address and a port that answers (or refuses) there, asked through the backup.</param>
public sealed record PrimaryObservation(ImmutableArray<string> Command, IPEndPoint? Lan = null, OutsideTarget? Outside = null)
{
    /// <summary>By what is in the list.</summary>
    public bool Equals(PrimaryObservation? other) => other is not null && ToString() == other.ToString();

    public override int GetHashCode() => ToString().GetHashCode(StringComparison.Ordinal);

    public override string ToString() => $"command [{string.Join(' ', Command)}], lan {Lan}, outside {Outside}";
}

/// <param name="Address">Null: learnt from the router's command while the primary works.</param>
/// <param name="Port">A TCP port there; a refusal is an answer too.</param>
public sealed record OutsideTarget(IPAddress? Address, int Port)
{
    public override string ToString() => Address is null ? $"learn:{Port}" : new IPEndPoint(Address, Port).ToString();
}

/// <summary>An uplink is not an interface: it is an interface, a source address and what the router does with both.</summary>
/// <param name="Interface">Sockets are bound to it (SO_BINDTODEVICE). Empty: nothing of ours leaves by it (the primary in wirings C and D).</param>
/// <param name="Address">Source address to bind as well; null: whatever the interface has.</param>
/// <param name="Gateway">Next hop, where the owner names one; only classifies.</param>
/// <param name="CarrierIsModem">The cable on this interface ends in the modem: carrier loss is the outage itself.</param>
/// <param name="Provider">AS number such as <c>AS64500</c>, or <c>learn</c>.</param>
public sealed record UplinkOptions(
    UplinkName Name,
    string Interface,
    IPAddress? Address = null,
    IPAddress? Gateway = null,
    bool CarrierIsModem = false,
    string Provider = "learn")
{
    /// <summary>Wiring C, primary only: how it is watched. Null: by probes of its own.</summary>
    public PrimaryObservation? Observe { get; init; }

    /// <summary>Backup only: program and arguments that wake it (dial a sleeping modem). Empty: none.</summary>
    public ImmutableArray<string> BringUp { get; init; } = [];

    /// <summary>Our packets can leave by it.</summary>
    public bool Carries => Interface.Length > 0;

    /// <summary>By what is in the lists.</summary>
    public bool Equals(UplinkOptions? other) => other is not null && Key() == other.Key();

    public override int GetHashCode() => Key().GetHashCode(StringComparison.Ordinal);

    private string Key() => $"{Name}|{Interface}|{Address}|{Gateway}|{CarrierIsModem}|{Provider}|{Observe}|{string.Join(' ', BringUp)}";
}

