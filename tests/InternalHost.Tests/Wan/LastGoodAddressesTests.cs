using System.Collections.Immutable;
using System.Net;
using Common.Journal;
using InternalHost.Wan.Http;
using Testing;

namespace InternalHost.Tests.Wan;

public sealed class LastGoodAddressesTests : IDisposable
{
    private static readonly ImmutableArray<IPAddress> First = [IPAddress.Parse("192.0.2.1"), IPAddress.Parse("2001:db8::1")];
    private static readonly ImmutableArray<IPAddress> Second = [IPAddress.Parse("192.0.2.2")];

    private readonly Database _database = Database.Open(":memory:", LastGoodAddresses.Migration);
    private readonly FakeTime _time = new();

    public void Dispose() => _database.Dispose();

    private LastGoodAddresses Open() => new(_database, _time);

    [Fact]
    public void Addresses_survive_a_restart()
    {
        Open().Keep("API.example.com", First, FakeTime.Epoch);

        Assert.Equal(First.AsEnumerable(), Open().Find("api.example.com"));
        Assert.Empty(Open().Find("other.example.com"));
    }

    [Fact]
    public void Newest_are_given_at_once_and_written_once_an_hour()
    {
        var addresses = Open();
        addresses.Keep("a.example", First, FakeTime.Epoch);

        addresses.Keep("a.example", Second, FakeTime.Epoch);

        Assert.Equal(Second.AsEnumerable(), addresses.Find("a.example"));
        Assert.Equal(First.AsEnumerable(), Open().Find("a.example"));

        _time.Advance(TimeSpan.FromHours(1));
        addresses.Keep("a.example", First, FakeTime.Epoch);
        addresses.Keep("a.example", Second, FakeTime.Epoch);

        Assert.Equal(Second.AsEnumerable(), addresses.Find("a.example"));
    }

    [Fact]
    public void Broken_disk_keeps_them_in_memory()
    {
        _database.Write(t => t.Sql("DROP TABLE last_good_addresses").Run());
        var addresses = Open();

        addresses.Keep("a.example", First, FakeTime.Epoch);

        Assert.Equal(First.AsEnumerable(), addresses.Find("a.example"));
        Assert.False(addresses.IsWritable);
    }
}
