using System.Collections.Immutable;
using Common;

namespace InternalHost.Configuration;

/// <param name="Port">Where the owner names one; it then outranks memory.</param>
public sealed record WantedPort(string Name, int? Port);

/// <param name="Ports">A port for every wanted service that has one.</param>
/// <param name="Memory">What to remember from now on: the above and services that were dropped.</param>
/// <param name="NoRoom">Services for which the block has no port left.</param>
public sealed record PortAssignment(ImmutableDictionary<string, int> Ports, ImmutableDictionary<string, int> Memory, ImmutableArray<string> NoRoom);

/// <summary>
/// Which loopback port of the bastion reaches which service. People write ports into bookmarks and scripts, so dropping or adding one
/// service never moves another: a port stays with its name until the block is full.
/// </summary>
[PureCore]
public static class ServicePorts
{
    /// <param name="first">First port of the block; the last of the block is the loop probe's and never given out.</param>
    public static PortAssignment Assign(int first, IReadOnlyList<WantedPort> wanted, IReadOnlyDictionary<string, int> remembered)
    {
        var block = Enumerable.Range(first, BastionOptions.ForwardPortCount - 1).ToHashSet();
        var names = wanted.Select(w => w.Name).ToHashSet(StringComparer.Ordinal);
        var given = wanted.Where(w => w.Port is not null).ToDictionary(w => w.Name, w => w.Port!.Value, StringComparer.Ordinal);
        foreach (var name in wanted.Where(w => w.Port is null).Select(w => w.Name))
        {
            if (remembered.TryGetValue(name, out var port) && block.Contains(port) && !given.ContainsValue(port))
            {
                given[name] = port;
            }
        }

        var absent = remembered.Where(r => !names.Contains(r.Key) && block.Contains(r.Value) && !given.ContainsValue(r.Value)).ToList();
        return GiveNew(block, wanted, given, absent);
    }

    private static PortAssignment GiveNew(
        HashSet<int> block, IReadOnlyList<WantedPort> wanted, Dictionary<string, int> given, List<KeyValuePair<string, int>> absent)
    {
        var free = block.Where(p => !given.ContainsValue(p)).ToList();
        // Ports of dropped services come last: they may come back.
        var order = new Queue<int>([.. free.Where(p => absent.All(a => a.Value != p)).Order(), .. absent.Select(a => a.Value).Distinct().Order()]);
        var noRoom = ImmutableArray.CreateBuilder<string>();
        foreach (var name in wanted.Select(w => w.Name).Where(n => !given.ContainsKey(n)))
        {
            if (order.TryDequeue(out var port))
            {
                given[name] = port;
            }
            else
            {
                noRoom.Add(name);
            }
        }

        var ports = given.ToImmutableDictionary(StringComparer.Ordinal);
        return new(ports, ports.AddRange(absent.Where(a => !given.ContainsValue(a.Value))), noRoom.ToImmutable());
    }
}
