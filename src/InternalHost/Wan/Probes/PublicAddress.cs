using System.Net;
using Common.Time;

namespace InternalHost.Wan.Probes;

internal enum AddressSource
{
    Unknown = 0,
    Stun = 1,

    /// <summary>Two operators' names answered alike.</summary>
    Names = 2,

    /// <summary>One operator's name: a provider that answers in others' place forges it, so it decides nothing alone.</summary>
    OneName = 3,
}

/// <summary>From where the world sees an uplink.</summary>
/// <param name="At">When it was seen.</param>
internal sealed record PublicAddress(IPAddress Address, AddressSource Source, Instant At)
{
    public bool IsFirm => Source is AddressSource.Stun or AddressSource.Names;
}
