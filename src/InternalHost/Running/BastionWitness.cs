using System.Collections.Immutable;
using System.Net;
using InternalHost.Configuration;
using InternalHost.Tunnel;
using InternalHost.Wan;
using InternalHost.Wan.Detection;
using InternalHost.Wan.Probes;

namespace InternalHost.Running;

/// <summary>Our own bastion as a witness of the primary, beside all others: while it runs and its address is known.</summary>
internal sealed class BastionWitness(IProber others, HostKeyProof proof, UplinkOptions primary) : IProber
{
    /// <summary>Where it is now; empty: it does not run. Set once by the composition.</summary>
    public Func<ImmutableArray<IPAddress>> Addresses { get; set; } = () => [];

    /// <summary>There is somebody to ask.</summary>
    public bool Runs => primary.Carries && !Addresses().IsEmpty;

    public Task<ProbeOutcome> AskAsync(UplinkName uplink, ProbeRequest request, CancellationToken giveUp) =>
        request.Witness != WitnessName.Bastion ? others.AskAsync(uplink, request, giveUp)
        : uplink == UplinkName.Primary ? proof.AskAsync(primary, Addresses(), giveUp)
        : Task.FromResult(ProbeOutcome.Unknown);

    public UplinkBytes Bytes(UplinkName uplink) => others.Bytes(uplink);

    public PublicAddress? Seen(UplinkName uplink) => others.Seen(uplink);
}
