using InternalHost.Configuration;
using InternalHost.Wan;
using InternalHost.Wan.Detection;

namespace InternalHost.Tests.Wan;

public sealed class WayOutTests
{
    [Theory]
    [InlineData(Usable.Yes, Usable.Yes, "Primary Backup")]
    [InlineData(Usable.Yes, Usable.No, "Primary")]
    [InlineData(Usable.Yes, Usable.Unknown, "Primary")]
    [InlineData(Usable.No, Usable.Yes, "Backup")]
    [InlineData(Usable.No, Usable.Unknown, "Backup")]
    [InlineData(Usable.No, Usable.No, "Backup Primary")]
    [InlineData(Usable.Unknown, Usable.Yes, "Backup")]
    [InlineData(Usable.Unknown, Usable.No, "Primary Backup")]
    [InlineData(Usable.Unknown, Usable.Unknown, "Primary Backup")]
    public void Way_out_for_every_pair(Usable primary, Usable backup, string expected)
    {
        Assert.Equal(expected, string.Join(' ', WayOut.Choose(primary, backup)));
    }

    [Fact]
    public void Route_follows_the_verdicts()
    {
        var verdict = Usable.Yes;
        var (primary, backup) = (new UplinkOptions(UplinkName.Primary, "a"), new UplinkOptions(UplinkName.Backup, "b"));
        var route = WayOut.Route(primary, backup, () => verdict, () => Usable.Yes);

        Assert.Equal([primary, backup], route().AsEnumerable());
        verdict = Usable.No;
        Assert.Equal([backup], route().AsEnumerable());
    }

    [Fact]
    public void Where_nothing_leaves_by_the_primary_it_is_the_backup_whatever_is_thought_of_both()
    {
        var backup = new UplinkOptions(UplinkName.Backup, "b");
        UplinkOptions[] primaries = [new(UplinkName.Primary, "") { Observe = new PrimaryObservation(["/bin/true"]) }, new(UplinkName.Primary, "")];
        foreach (var (primary, first, second) in primaries.SelectMany(p => Enum.GetValues<Usable>().SelectMany(f => Enum.GetValues<Usable>().Select(s => (p, f, s)))))
        {
            Assert.Equal([backup], WayOut.Route(primary, backup, () => first, () => second)().AsEnumerable());
        }
    }
}
