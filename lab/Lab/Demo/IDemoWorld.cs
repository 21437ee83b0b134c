using System.Net;
using Common.Processes;
using Lab.World;
using Microsoft.AspNetCore.Http;

namespace Lab.Demo;

/// <param name="Interface">What sockets are bound to.</param>
internal sealed record UplinkPlace(string Interface, IPAddress Address);

/// <summary>Who is where, as the inside sees it.</summary>
/// <param name="Primary">Null in wiring C: nothing of ours leaves by it.</param>
/// <param name="BastionBehind">The loopback address on which the VM's sshd listens; the world finds it at <paramref name="Bastion"/>.</param>
/// <param name="HomeLoopback">The loopback address of the sshd at home.</param>
internal sealed record Places(
    UplinkPlace? Primary,
    UplinkPlace Backup,
    ServerPlan Servers,
    IPEndPoint Gateway,
    IPAddress Bastion,
    IPAddress BastionBehind,
    IPAddress HomeLoopback)
{
    /// <summary>The same servers by IPv6, where the world has it; its <see cref="ServerPlan.IspDns"/> is the backup carrier's own resolver.</summary>
    public ServerPlan? ServersV6 { get; init; }

    /// <summary>The backup carrier's own resolver, where it has one.</summary>
    public IPEndPoint? CarrierDns { get; init; }

    /// <summary>The VM's second address.</summary>
    public IPAddress? BastionV6 { get; init; }

    /// <summary>What the provider says of the VM.</summary>
    public IEnumerable<IPAddress> BastionAddresses => BastionV6 is null ? [Bastion] : [Bastion, BastionV6];

    /// <summary>A server's places, all families.</summary>
    public IEnumerable<IPEndPoint> All(Func<ServerPlan, IPEndPoint> server) => ServersV6 is null ? [server(Servers)] : [server(Servers), server(ServersV6)];

    public IEnumerable<IPEndPoint> IspDns => CarrierDns is null ? [Servers.IspDns] : [Servers.IspDns, CarrierDns];
}

/// <summary>The world an outage happens in: loopback with relays, or a network in namespaces.</summary>
internal interface IDemoWorld : IAsyncDisposable
{
    /// <summary>One line for people.</summary>
    string Description { get; }

    Places Places { get; }

    /// <summary>What the configuration says of <c>uplinks.primary</c>.</summary>
    string PrimaryUplink => $"{{interface: {Places.Primary!.Interface}, address: {Places.Primary.Address}}}";

    /// <summary>The router sends the primary's traffic by the backup as soon as the primary is dead: its witnesses go on answering.</summary>
    bool FallsOver => false;

    /// <summary>Starts children at home, on the bastion's machine, and where the owner is.</summary>
    IProcessLauncher Home { get; }

    IProcessLauncher Cloud { get; }

    IProcessLauncher Away { get; }

    /// <summary>What the VM's sshd has besides, where this world can.</summary>
    IReadOnlyList<string> SshdConfiguration { get; }

    /// <summary>The root that all certificates of this world hang from, as PEM.</summary>
    void WriteRoot(string path);

    /// <summary>
    /// Serves the SMS gateway by HTTPS at <see cref="Places.Gateway"/>, as <see cref="WorldServers.GatewayName"/>, for as long as the world
    /// lives. The server notes from which address each connection came.
    /// </summary>
    Task<TlsServer> ServeGatewayAsync(RequestDelegate respond);

    /// <summary>The address that the world sees on what leaves by the backup.</summary>
    IPAddress BackupSeen { get; }

    Task CutPrimaryAsync(CancellationToken ct);

    Task RestorePrimaryAsync(CancellationToken ct);

    /// <summary>What the backup has carried so far.</summary>
    Task<(long Up, long Down)> BackupBytesAsync(CancellationToken ct);
}
