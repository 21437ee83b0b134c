using System.Collections.Immutable;
using System.Net;
using Common.Alerts.Policy;
using Common.Configuration;

namespace Common.Tests.Alerts.Policy;

public sealed class AllowListTests
{
    private const string Key = "SHA256:Xspp2NxCCnW5eU18SFQeWO1gnP3Hk/JXAdZjqD9LUhk";
    private static readonly DateTimeOffset Today = new(2026, 11, 21, 12, 0, 0, TimeSpan.Zero);

    [Theory]
    [InlineData("0.0.0.0/0", "everybody")]
    [InlineData("::/0", "everybody")]
    [InlineData("127.0.0.1", "own address")]
    [InlineData("126.0.0.0/7", "own address")]
    [InlineData("::1", "own address")]
    [InlineData("::ffff:127.0.0.1", "own address")]
    [InlineData("169.254.1.0/24", "link-local")]
    [InlineData("fe80::/64", "link-local")]
    [InlineData("100.64.0.0/24", "carrier-grade")]
    [InlineData("::ffff:100.100.0.0/120", "carrier-grade")]
    [InlineData("10.0.0.0/24", "private")]
    [InlineData("192.168.1.7", "private")]
    [InlineData("172.31.0.0/24", "private")]
    [InlineData("fd00::/64", "private")]
    [InlineData("198.51.0.0/16", "i_know")]
    [InlineData("2001:db8::/32", "i_know")]
    [InlineData("10.0.0.1/33", "prefix length")]
    [InlineData("1.2.3.4/24", "1.2.3.0/24")]
    public void Network_that_would_silence_too_much_is_refused(string cidr, string reason)
    {
        var error = Assert.Single(Read(Entry(cidr)).Errors);

        Assert.Equal("allow[1].cidr", error.Key);
        Assert.Contains(reason, error.Reason, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("198.51.0.0/16")]
    [InlineData("2001:db8::/32")]
    public void Wide_network_is_taken_from_one_who_knows(string cidr) => Assert.Single(Read(Entry(cidr, ", i_know: true")).Entries);

    [Theory]
    [InlineData("0.0.0.0/0")]
    [InlineData("127.0.0.0/8")]
    [InlineData("100.64.0.0/10")]
    public void Nobody_knows_well_enough_to_silence_everybody(string cidr) => Assert.Single(Read(Entry(cidr, ", i_know: true")).Errors);

    [Fact]
    public void On_the_inside_the_home_network_may_be_named_and_loopback_never()
    {
        Assert.Empty(Read(Entry("192.168.1.0/24"), privateToo: true).Errors);
        Assert.Single(Read(Entry("127.0.0.1"), privateToo: true).Errors);
    }

    [Theory]
    [InlineData("cidr: 198.51.100.0/24, ")]
    [InlineData("users: [alice], ")]
    [InlineData("keys: [\"SHA256:Xspp2NxCCnW5eU18SFQeWO1gnP3Hk/JXAdZjqD9LUhk\"], ")]
    [InlineData("reason: office, ")]
    [InlineData("created_by: alice, ")]
    [InlineData("expires: 2026-12-21")]
    public void Nothing_may_be_left_out(string part)
    {
        var whole = "cidr: 198.51.100.0/24, users: [alice], keys: [\"" + Key + "\"], reason: office, created_by: alice, expires: 2026-12-21";

        var error = Assert.Single(Read($"- {{{whole.Replace(part, "", StringComparison.Ordinal)}}}").Errors);

        Assert.Equal($"allow[1].{part.Split(':')[0]}", error.Key);
        Assert.Contains("is missing", error.Reason, StringComparison.Ordinal);
    }

    [Fact]
    public void Without_an_end_it_ends_thirty_days_after_the_day_it_was_made()
    {
        var entry = Assert.Single(Read(Entry("198.51.100.0/24").Replace("expires: 2026-12-21", "created: 2026-11-21", StringComparison.Ordinal)).Entries);

        Assert.Equal(new DateTimeOffset(2026, 12, 22, 0, 0, 0, TimeSpan.Zero), entry.Expires);
    }

    [Fact]
    public void End_more_than_a_year_off_is_refused() =>
        Assert.Contains("year", Assert.Single(Read(Entry("198.51.100.0/24", ", created: 2024-11-21")).Errors).Reason, StringComparison.Ordinal);

    [Fact]
    public void Entries_that_overlap_for_one_user_and_key_are_refused()
    {
        var error = Assert.Single(Read(Entry("198.51.100.0/24") + "\n" + Entry("198.51.100.128/25")).Errors);

        Assert.Equal("allow[2]", error.Key);
        Assert.Contains("overlaps allow[1]", error.Reason, StringComparison.Ordinal);
        Assert.Empty(Read(Entry("198.51.100.0/24") + "\n" + Entry("198.51.100.128/25").Replace("[alice]", "[bob]", StringComparison.Ordinal)).Errors);
    }

    [Theory]
    [InlineData("198.51.100.7", "alice", Key, true)]
    [InlineData("::ffff:198.51.100.7", "alice", Key, true)]
    [InlineData("198.51.101.7", "alice", Key, false)]
    [InlineData("198.51.100.7", "bob", Key, false)]
    [InlineData("198.51.100.7", "alice", "SHA256:h8lPXsdzK3m0XrtEhvVM6uwwxXr04g2MrypizyDaOFs", false)]
    [InlineData("198.51.100.7", "alice", null, false)]
    [InlineData(null, "alice", Key, false)]
    [InlineData("127.0.0.1", "alice", Key, false)]
    public void All_of_network_user_and_key_must_be_the_entrys(string? from, string user, string? key, bool covered)
    {
        var entries = Read(Entry("198.51.100.0/24")).Entries;

        Assert.Equal(covered, AllowList.Find(entries, from is null ? null : IPAddress.Parse(from), user, key, Today) is not null);
    }

    [Fact]
    public void Entry_that_expired_a_second_ago_covers_nothing()
    {
        var entry = Assert.Single(Read(Entry("198.51.100.0/24")).Entries);

        Assert.Null(AllowList.Find([entry], IPAddress.Parse("198.51.100.7"), "alice", Key, entry.Expires + TimeSpan.FromSeconds(1)));
        Assert.Null(AllowList.Find([entry], IPAddress.Parse("198.51.100.7"), "alice", Key, entry.Expires));
        Assert.NotNull(AllowList.Find([entry], IPAddress.Parse("198.51.100.7"), "alice", Key, entry.Expires - TimeSpan.FromSeconds(1)));
    }

    private static string Entry(string cidr, string more = "") =>
        $"- {{cidr: \"{cidr}\", users: [alice], keys: [\"{Key}\"], reason: office, created_by: alice, expires: 2026-12-21{more}}}";

    private static (ImmutableArray<AllowEntry> Entries, IReadOnlyList<ConfigurationError> Errors) Read(string list, bool privateToo = false)
    {
        var errors = new ConfigurationErrors();
        var map = YamlTree.Parse($"allow:\n{list}\n", errors);
        var entries = AllowListReader.Read(map?.At("allow"), "allow", errors, text => text.StartsWith("SHA256:", StringComparison.Ordinal) ? text : Reading.Bad("no fingerprint"), privateToo);
        return (entries, errors.All);
    }
}
