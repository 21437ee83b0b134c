using System.Collections.Immutable;
using System.Net;

namespace InternalHost.Cloud.Local;

/// <param name="Tag">The site's label; it tags the one instance.</param>
/// <param name="Addresses">Loopback addresses, 127.x.y.z or ::1: the first start has the first.</param>
/// <param name="Folder">The private sshd's.</param>
/// <param name="SshdConfiguration">Lines that come before ours.</param>
internal sealed record LocalCloudSettings(
    string Tag,
    ImmutableArray<IPAddress> Addresses,
    ImmutableArray<int> Ports,
    ImmutableArray<string> AuthorizedKeys,
    string Folder,
    ImmutableArray<string> SshdConfiguration,
    AgentProgram? Agent,
    LocalCloudModes Modes)
{
    /// <summary>What describe says instead, one for each of <see cref="Addresses"/>: something in between (NAT, a relay) leads from the one to the other. A VM may have one of each family.</summary>
    public ImmutableArray<ImmutableArray<IPAddress>> Announced { get; init; } = [.. Addresses.Select(a => ImmutableArray.Create(a))];

    public ImmutableArray<IPEndPoint> EndPoints(int place) => [.. Ports.Select(p => new IPEndPoint(Addresses[place], p))];

    public ImmutableArray<IPEndPoint> AllEndPoints => [.. Enumerable.Range(0, Addresses.Length).SelectMany(p => EndPoints(p))];

    public PrivateSshdOptions Sshd(int place, Action<string>? onLogLine) =>
        new(Folder, EndPoints(place), AuthorizedKeys) { ExtraConfiguration = SshdConfiguration, Label = Tag, OnLogLine = onLogLine };
}

/// <summary>What runs on the VM beside sshd: <c>bastion agent ...</c></summary>
internal sealed record AgentProgram(string Program, ImmutableArray<string> Arguments, ImmutableDictionary<string, string> Environment);

/// <summary>The settings cannot be used; each line names a key, its value and what is wrong with it.</summary>
internal sealed class LocalCloudSettingsException(IReadOnlyCollection<string> mistakes, Exception? inner = null)
    : Exception(string.Join('\n', mistakes), inner)
{
    public IReadOnlyCollection<string> Mistakes { get; } = mistakes;
}
