using System.Collections.Immutable;
using Common;
using Common.Configuration;
using static Common.Configuration.PersonalValues;

namespace InternalHost.Configuration;

/// <summary>The <c>services</c> section: what the owner wants to reach, and the port of each on the bastion.</summary>
[PureCore]
internal static class ServiceReader
{
    private const int LongestName = 20;
    private const int MostServices = BastionOptions.ForwardPortCount - 1;

    public static (ImmutableArray<ServiceOptions> Services, ImmutableDictionary<string, int> Memory) Read(
        ConfigurationSection section, BastionOptions bastion, IReadOnlyDictionary<string, int> remembered)
    {
        var wanted = section.Entries.IsEmpty
            ? [new Wanted("ssh", "127.0.0.1", 22, null, Bulk: false)]
            : section.Entries.Select(e => One(section, e, bastion)).OfType<Wanted>().ToList();
        CheckDoubles(section, wanted);
        var assigned = ServicePorts.Assign(bastion.FirstForwardPort, [.. wanted.Select(w => new WantedPort(w.Name, w.Port))], remembered);
        foreach (var name in assigned.NoRoom)
        {
            section.Fail(name, "", $"is one too many: a site has {MostServices} ports ({bastion.FirstForwardPort}-{bastion.LoopProbePort - 1})");
        }

        return ([.. wanted.Where(w => assigned.Ports.ContainsKey(w.Name))
            .Select(w => new ServiceOptions(w.Name, w.Host, w.TargetPort, assigned.Ports[w.Name], w.Bulk))], assigned.Memory);
    }

    private static Wanted? One(ConfigurationSection section, ConfigurationNode.Entry entry, BastionOptions bastion)
    {
        if (Name(LongestName)(entry.Key).Problem is { } problem)
        {
            section.Fail(entry.Key, "", $"the name of a service {problem}");
        }

        if (entry.Value is not ConfigurationNode.Map)
        {
            return section.Scalar(entry, NetworkValues.HostAndPort) is { Problem: null } target
                ? new Wanted(entry.Key, target.Value.Host, target.Value.Port, null, Bulk: false)
                : null;
        }

        var service = section.Below(entry);
        var (host, port) = service.Need("to", NetworkValues.HostAndPort, "HOST:PORT, such as 192.168.1.20:22");
        var wanted = new Wanted(entry.Key, host, port, service.OptionalValue("port", InBlock(bastion)), service.Get("bulk", SiteReader.YesNo, false));
        service.Close();
        return wanted;
    }

    private static Func<string, Reading<int>> InBlock(BastionOptions bastion) => text =>
        Quantities.WholeBetween(bastion.FirstForwardPort, bastion.LoopProbePort - 1)(text) is { Problem: null } port
            ? port.Value
            : Reading.Bad($"must be in the site's block, {bastion.FirstForwardPort} to {bastion.LoopProbePort - 1} ({bastion.LoopProbePort} is the loop probe's)");

    private static void CheckDoubles(ConfigurationSection section, List<Wanted> wanted)
    {
        foreach (var second in wanted.Where(w => w.Port is not null).GroupBy(w => w.Port).SelectMany(g => g.Skip(1)))
        {
            section.Fail($"{second.Name}.port", $"{second.Port}", $"is {wanted.First(w => w.Port == second.Port).Name}'s already");
        }
    }

    private sealed record Wanted(string Name, string Host, int TargetPort, int? Port, bool Bulk);
}
