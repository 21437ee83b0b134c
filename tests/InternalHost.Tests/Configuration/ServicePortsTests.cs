using System.Collections.Immutable;
using Common.Journal;
using InternalHost.Configuration;

namespace InternalHost.Tests.Configuration;

public sealed class ServicePortsTests
{
    private static readonly ImmutableDictionary<string, int> Nothing = [];

    [Fact]
    public void New_services_get_ports_in_the_order_of_the_file()
    {
        var assigned = Assign(Nothing, "ssh", "console", "kvm");

        Assert.Equal((22001, 22002, 22003), (assigned.Ports["ssh"], assigned.Ports["console"], assigned.Ports["kvm"]));
    }

    [Fact]
    public void Dropping_one_never_moves_another()
    {
        var memory = Assign(Nothing, "ssh", "console", "kvm").Memory;

        var after = Assign(memory, "kvm", "new", "ssh");

        Assert.Equal((22001, 22003, 22004), (after.Ports["ssh"], after.Ports["kvm"], after.Ports["new"]));
        Assert.Equal(22002, Assign(after.Memory, "console", "ssh").Ports["console"]);
    }

    [Fact]
    public void Named_port_outranks_memory()
    {
        var memory = Assign(Nothing, "ssh", "kvm").Memory;

        var after = ServicePorts.Assign(22001, [new("ssh", 22002), new("kvm", null)], memory);

        Assert.Equal(22002, after.Ports["ssh"]);
        Assert.NotEqual(22002, after.Ports["kvm"]);
    }

    [Fact]
    public void Full_block_takes_ports_of_dropped_services_and_then_says_no()
    {
        var names = Enumerable.Range(1, 15).Select(i => $"s{i}").ToArray();
        var memory = Assign(Nothing, names).Memory;

        var after = Assign(memory, [.. names.Skip(2), "x", "y", "z"]);

        Assert.Equal((22001, 22002), (after.Ports["x"], after.Ports["y"]));
        Assert.Equal(["z"], after.NoRoom.ToArray());
        Assert.DoesNotContain("s1", after.Memory.Keys);
    }

    [Fact]
    public void Block_that_moved_forgets_old_ports()
    {
        var memory = Assign(Nothing, "ssh").Memory;

        Assert.Equal(30001, ServicePorts.Assign(30001, [new("ssh", null)], memory).Ports["ssh"]);
    }

    [Fact]
    public void Any_edit_keeps_ports_distinct_inside_the_block_and_stable()
    {
        var random = new Random(5);
        var memory = Nothing;
        var before = Nothing;
        for (var round = 0; round < 2_000; round++)
        {
            var names = Enumerable.Range(1, 20).Where(_ => random.Next(3) == 0).OrderBy(_ => random.Next()).Take(15).Select(i => $"s{i}").ToArray();
            var assigned = Assign(memory, names);

            Assert.Empty(assigned.NoRoom);
            Assert.Equal(names.Length, assigned.Ports.Values.Distinct().Count());
            Assert.All(assigned.Ports.Values, p => Assert.InRange(p, 22001, 22015));
            Assert.All(names.Where(before.ContainsKey), n => Assert.Equal(before[n], assigned.Ports[n]));
            (memory, before) = (assigned.Memory, assigned.Ports);
        }
    }

    [Fact]
    public void Memory_survives_a_restart_and_can_be_looked_at_beside_the_daemon()
    {
        var folder = Directory.CreateTempSubdirectory();
        try
        {
            var file = Path.Combine(folder.FullName, "state.db");
            using var database = Database.Open(file, ServicePortMemory.Migration);
            var memory = Assign(Nothing, "ssh", "kvm").Memory;

            ServicePortMemory.Save(database, memory);
            ServicePortMemory.Save(database, memory.Remove("ssh"));

            Assert.Equal(memory.Remove("ssh").OrderBy(m => m.Key), ServicePortMemory.Load(database).OrderBy(m => m.Key));
            Assert.Equal(22002, ServicePortMemory.Peek(file)["kvm"]);
            Assert.Empty(ServicePortMemory.Peek(Path.Combine(folder.FullName, "none.db")));
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private static PortAssignment Assign(ImmutableDictionary<string, int> memory, params string[] names) =>
        ServicePorts.Assign(22001, [.. names.Select(n => new WantedPort(n, null))], memory);
}
