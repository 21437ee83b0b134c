using System.Net;
using System.Net.Sockets;
using Common.Time;
using InternalHost.Wan.Detection;
using InternalHost.Wan.Probes;

namespace InternalHost.Tests.Wan;

public sealed class EgressBookTests
{
    private const string Cable = "198.51.100.7";
    private const string Cellular = "203.0.113.9";

    private readonly EgressBook _book = new();
    private Instant _now = new(TimeSpan.FromHours(1).Ticks);

    [Fact]
    public void Unknown_address_needs_the_other_uplinks_first()
    {
        Assert.Equal(EgressFinding.AskOther, Primary(Cable));
        Note(UplinkName.Backup, Cellular);
        Assert.Equal(EgressFinding.Own, Primary(Cable));
    }

    [Fact]
    public void Known_address_never_costs_the_metered_uplink_a_byte_again()
    {
        Learn();

        for (var minute = 0; minute < 3 * 24 * 60; minute++)
        {
            Pass(TimeSpan.FromMinutes(1));
            Assert.Equal(EgressFinding.Own, Primary(Cable));
        }
    }

    [Fact]
    public void Router_that_falls_over_is_seen_at_once()
    {
        Learn();
        Pass(TimeSpan.FromHours(5));

        Assert.Equal(EgressFinding.Others, Primary(Cellular));
        Pass(TimeSpan.FromMinutes(1));
        Assert.Equal(EgressFinding.Own, Primary(Cable));
    }

    [Fact]
    public void Router_that_had_fallen_over_before_we_began_is_seen()
    {
        Assert.Equal(EgressFinding.AskOther, Primary(Cellular));
        Assert.Equal(EgressFinding.Unclear, Backup(Cellular));
        Assert.Equal(EgressFinding.Others, Primary(Cellular));
        Assert.Equal(EgressFinding.Unclear, Backup(Cellular));

        // The line is back: both are known from here on.
        Assert.Equal(EgressFinding.Own, Primary(Cable));
        Assert.Equal(EgressFinding.Own, Backup(Cellular));
        Pass(TimeSpan.FromHours(1));
        Assert.Equal(EgressFinding.Others, Primary(Cellular));
        Assert.Equal(EgressFinding.Own, Backup(Cellular));
    }

    [Fact]
    public void Backup_that_leaves_by_the_primary_does_not_take_the_primary_down()
    {
        Learn();
        Pass(TimeSpan.FromMinutes(10));

        Assert.Equal(EgressFinding.Others, Backup(Cable));
        Assert.Equal(EgressFinding.Own, Primary(Cable));
    }

    [Fact]
    public void Addresses_of_a_carriers_pool_are_learnt_and_then_known()
    {
        Learn();
        string[] pool = ["203.0.113.10", "192.0.2.77", "203.0.114.3"];
        foreach (var address in pool)
        {
            Pass(TimeSpan.FromMinutes(5));
            Primary(Cable);
            Assert.Equal(EgressFinding.Own, Backup(address));
        }

        Pass(TimeSpan.FromHours(2));
        Assert.All(pool, address => Assert.Equal(EgressFinding.Others, Primary(address)));
    }

    [Fact]
    public void New_address_of_the_provider_is_its_own_once_the_other_shows_another()
    {
        Learn();
        Pass(TimeSpan.FromHours(1));

        Assert.Equal(EgressFinding.AskOther, Primary("198.51.100.200"));
        Note(UplinkName.Backup, Cellular);
        Assert.Equal(EgressFinding.Own, Primary("198.51.100.200"));
    }

    [Fact]
    public void Pool_address_that_is_new_is_asked_about_and_found_out()
    {
        Learn();
        Pass(TimeSpan.FromHours(1));

        Assert.Equal(EgressFinding.AskOther, Primary("203.0.113.99"));
        Note(UplinkName.Backup, "203.0.113.99");
        Assert.Equal(EgressFinding.Others, Primary("203.0.113.99"));
    }

    [Fact]
    public void Silent_other_uplink_is_another_line_but_nothing_is_remembered()
    {
        Assert.Equal(EgressFinding.AskOther, Primary(Cable));
        _book.NoteSilence(UplinkName.Backup, AddressFamily.InterNetwork, _now);
        Assert.Equal(EgressFinding.Own, Primary(Cable));

        Pass(TimeSpan.FromMinutes(1));
        Assert.Equal(EgressFinding.AskOther, Primary(Cable));
    }

    [Fact]
    public void Last_address_of_an_uplink_that_went_silent_says_nothing_clear()
    {
        Assert.Equal(EgressFinding.AskOther, Backup(Cellular));
        Pass(TimeSpan.FromMinutes(5));
        Assert.Equal(EgressFinding.AskOther, Primary(Cellular));
        _book.NoteSilence(UplinkName.Backup, AddressFamily.InterNetwork, _now);

        Assert.Equal(EgressFinding.Unclear, Primary(Cellular));
    }

    [Fact]
    public void One_name_alone_confirms_but_never_accuses()
    {
        Learn();
        Pass(TimeSpan.FromHours(1));

        Assert.Equal(EgressFinding.Own, Primary(Cable, AddressSource.OneName));
        Assert.Equal(EgressFinding.Unclear, Primary(Cellular, AddressSource.OneName));
        Assert.Equal(EgressFinding.Unclear, Primary("192.0.2.1", AddressSource.OneName));
        Assert.Equal(EgressFinding.Others, Primary(Cellular, AddressSource.Names));
    }

    [Fact]
    public void One_name_alone_of_the_other_uplink_teaches_nothing()
    {
        Note(UplinkName.Backup, Cellular, AddressSource.OneName);
        Assert.Equal(EgressFinding.Own, Primary(Cable));
        Note(UplinkName.Backup, Cable, AddressSource.OneName);
        Assert.Equal(EgressFinding.Unclear, Primary(Cable));
        Pass(TimeSpan.FromHours(1));
        Assert.Equal(EgressFinding.AskOther, Primary(Cable));
    }

    [Fact]
    public void Side_by_side_addresses_are_no_proof_for_later()
    {
        Note(UplinkName.Backup, "203.0.113.9");
        Assert.Equal(EgressFinding.Own, Primary("203.0.113.10"));
        Pass(TimeSpan.FromHours(1));

        Assert.Equal(EgressFinding.AskOther, Primary("203.0.113.10"));
    }

    [Fact]
    public void An_ipv6_network_is_one_customers_whatever_its_last_half()
    {
        Note(UplinkName.Backup, "2001:db8:2::1");
        Assert.Equal(EgressFinding.Own, Primary("2001:db8:1::1"));
        Pass(TimeSpan.FromHours(3));

        Assert.Equal(EgressFinding.Own, Primary("2001:db8:1::aaaa"));
        Assert.Equal(EgressFinding.Others, Primary("2001:db8:2::bbbb"));
    }

    [Fact]
    public void Families_are_judged_apart()
    {
        Note(UplinkName.Backup, Cellular);

        Assert.Equal(EgressFinding.AskOther, Primary("2001:db8:1::1"));
    }

    [Fact]
    public void What_was_an_uplinks_own_is_forgotten_after_a_day()
    {
        Learn();
        Pass(TimeSpan.FromHours(25));

        Assert.Equal(EgressFinding.AskOther, Primary(Cable));
        Assert.Equal(EgressFinding.AskOther, Primary(Cellular));
    }

    [Fact]
    public void Line_that_changes_between_two_looks_does_not_give_its_old_address_away()
    {
        Learn();
        Pass(TimeSpan.FromMinutes(1));
        Note(UplinkName.Backup, Cable);                       // leaves by the primary
        Pass(TimeSpan.FromSeconds(10));
        Assert.Equal(EgressFinding.Own, Primary("192.0.2.200"));   // the primary has dialled in anew

        Assert.Equal(EgressFinding.Others, Backup(Cable));
    }

    [Fact]
    public void Memory_is_bounded()
    {
        for (var i = 0; i < 1000; i++)
        {
            Pass(TimeSpan.FromSeconds(10));
            Note(UplinkName.Backup, Cellular);
            Assert.Equal(EgressFinding.Own, Primary($"10.{i / 250}.{i % 250}.1"));
        }

        Pass(TimeSpan.FromMinutes(5));
        Assert.Equal(EgressFinding.Own, Primary("10.3.249.1"));
        Assert.Equal(EgressFinding.AskOther, Primary("10.0.1.1"));
    }

    [Fact]
    public void Whatever_is_seen_in_whatever_order_a_verdict_against_has_a_reason()
    {
        var random = new Random(20260309);
        string[] addresses = [Cable, Cellular, "203.0.113.10", "192.0.2.1", "2001:db8:1::1", "2001:db8:2::1"];
        var findings = new HashSet<EgressFinding>();

        for (var i = 0; i < 100_000; i++)
        {
            Pass(TimeSpan.FromSeconds(random.Next(90)));
            var uplink = random.Next(2) == 0 ? UplinkName.Primary : UplinkName.Backup;
            var source = (AddressSource)random.Next(1, 4);
            var finding = See(uplink, addresses[random.Next(addresses.Length)], source);
            findings.Add(finding);
            Assert.False(finding == EgressFinding.Others && source == AddressSource.OneName);
            Assert.NotEqual(EgressFinding.Unknown, finding);
        }

        Assert.Equal(4, findings.Count);
    }

    private void Learn(string primary = Cable, string backup = Cellular)
    {
        Note(UplinkName.Backup, backup);
        Note(UplinkName.Primary, primary);
        Primary(primary);
    }

    private void Pass(TimeSpan time) => _now += time;

    private void Note(UplinkName uplink, string address, AddressSource source = AddressSource.Stun) =>
        _book.Note(uplink, new PublicAddress(IPAddress.Parse(address), source, _now));

    private EgressFinding Primary(string address, AddressSource source = AddressSource.Stun) => See(UplinkName.Primary, address, source);

    private EgressFinding Backup(string address, AddressSource source = AddressSource.Stun) => See(UplinkName.Backup, address, source);

    private EgressFinding See(UplinkName uplink, string address, AddressSource source)
    {
        Note(uplink, address, source);
        return _book.Judge(uplink, new PublicAddress(IPAddress.Parse(address), source, _now));
    }
}
