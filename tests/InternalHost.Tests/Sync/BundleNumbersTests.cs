using Common.Journal;
using InternalHost.Sync;

namespace InternalHost.Tests.Sync;

public sealed class BundleNumbersTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("bn");

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    public void Number_is_the_time_and_rises_when_the_time_does_not()
    {
        using var database = Open();
        var numbers = new BundleNumbers(database, "home");

        Assert.Equal([1_794_000_000, 1_794_000_001, 1_794_000_002, 1_794_000_009], [numbers.Next(1_794_000_000), numbers.Next(1_794_000_000), numbers.Next(null), numbers.Next(1_794_000_009)]);
    }

    /// <summary>Killed between the number and the push: the number is spent, the next one is higher, whatever the clock says.</summary>
    [Fact]
    public void Number_that_was_taken_is_never_taken_again()
    {
        long taken;
        using (var database = Open())
        {
            taken = new BundleNumbers(database, "home").Next(1_794_000_000);
        }

        using var again = Open();
        Assert.Equal(taken + 1, new BundleNumbers(again, "home").Next(unixSeconds: 5));
        Assert.Equal(1, new BundleNumbers(again, "other").Next(null));
    }

    [Fact]
    public void Bastion_that_has_more_is_gone_past()
    {
        using var database = Open();

        Assert.Equal(2_000_000_001, new BundleNumbers(database, "home").Next(1_794_000_000, above: 2_000_000_000));
    }

    [Fact]
    public void Dead_disk_does_not_keep_the_numbers_from_rising()
    {
        var database = Open();
        var numbers = new BundleNumbers(database, "home");
        database.Write(t => t.Sql("DROP TABLE bundle_number").Run());

        Assert.True(numbers.Next(null) < numbers.Next(null));
        database.Dispose();
    }

    private Database Open() => Database.Open(Path.Combine(_folder.FullName, "state.db"), BundleNumbers.Migration);
}
