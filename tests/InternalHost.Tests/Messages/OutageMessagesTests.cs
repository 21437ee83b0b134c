using System.Net;
using Common.Alerts;
using Common.Text;
using InternalHost.Cloud;
using InternalHost.Messages;
using InternalHost.Tunnel;

namespace InternalHost.Tests.Messages;

public sealed class OutageMessagesTests
{
    private static readonly OutageFacts Home = new("home", "17", OpenCause.PrimaryDown, At("03:13"), At("02:14"));
    private static readonly OutageFacts Longest = Home with { Site = "twelve-chars" };
    private static readonly WayIn Way = new("alice", "home.example.net", 49022, "pi", 22001, 443);
    private static readonly WayIn LongestWay = new("elevenchars", "twenty-three.chars.long", 49022, "tenchars10", 22001, 443);
    private static readonly VmFacts Vm = new("bastion-home", "AWS", 443);
    private static readonly VmFacts LongestVm = new("bastion-twelv", "DigitalOcean", 49022);
    private static readonly ClosedFacts Closed = new(At("03:02"), TimeSpan.FromMinutes(48), true, At("03:13"), TimeSpan.FromSeconds(41), 1, 23_400_000, 0.02m);

    private static readonly ClosedFacts LongestClosed = new(
        At("23:59"), TimeSpan.FromMinutes(99), true, At("23:59"), TimeSpan.FromMinutes(99), 1_000, 999_900_000_000, 100.55m);

    /// <summary>Issue 3: behind a NAT64 the message named the address that we dialled, which leads nobody else anywhere.</summary>
    [Theory]
    [InlineData("203.0.113.64", null, "203.0.113.64")]
    [InlineData("203.0.113.64 203.0.113.65", "203.0.113.65", "203.0.113.65")]
    [InlineData("2001:db8::64 203.0.113.64", "2001:db8::64", "203.0.113.64")]
    [InlineData("203.0.113.64", "64:ff9b::cb00:7140", "203.0.113.64")]
    [InlineData("2001:db8::63 2001:db8::64", "2001:db8::64", "2001:db8::64")]
    [InlineData("", "203.0.113.9", "203.0.113.9")]
    [InlineData("", null, null)]
    public void Address_for_people_is_the_vms_own_and_ipv4_where_it_has_one(string addresses, string? dialled, string? told) =>
        Assert.Equal(told, WayIn.AddressForPeople(
            [.. addresses.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(IPAddress.Parse)], dialled is null ? null : IPAddress.Parse(dialled))?.ToString());

    [Fact]
    public void Open_reads_as_promised() => Says(
        "home: primary down 02:14, way in open: ssh -J alice@home.example.net:49022 -p 22001 pi@127.0.0.1 (blocked? port 443)",
        OutageMessages.Open(Home, Way));

    [Fact]
    public void Open_with_the_longest_fields_is_whole() => Says(
        "twelve-chars: primary down 02:14, way in open: ssh -J elevenchars@twenty-three.chars.long:49022 -p 22001 tenchars10@127.0.0.1 (blocked? port 443)",
        OutageMessages.Open(Longest, LongestWay));

    [Fact]
    public void Open_without_a_trusted_clock_leaves_the_time_out() => Says(
        "home: primary down, way in open: ssh -J alice@home.example.net:49022 -p 22001 pi@127.0.0.1",
        OutageMessages.Open(Home with { DownAt = null }, Way with { OtherPort = null }));

    [Fact]
    public void Open_by_address_keeps_the_brackets_of_IPv6() => Says(
        "home: primary down 02:14, way in open: ssh -J alice@[2001:db8::7]:49022 -p 22001 pi@127.0.0.1 (blocked? port 443)",
        OutageMessages.Open(Home, Way with { JumpHost = "2001:db8::7" }));

    [Theory]
    [InlineData(OpenCause.Operator, "home: you asked, way in open: ssh -J alice@home.example.net:49022 -p 22001 pi@127.0.0.1 (blocked? port 443)")]
    [InlineData(OpenCause.Summoned, "home: you started the VM, way in open: ssh -J alice@home.example.net:49022 -p 22001 pi@127.0.0.1 (blocked? port 443)")]
    internal void Open_says_why_when_nothing_is_down(OpenCause cause, string text) => Says(text, OutageMessages.Open(Home with { Cause = cause, DownAt = null }, Way));

    [Fact]
    public void A_long_host_costs_the_second_port_then_the_time_and_never_the_command()
    {
        var host = new string('h', 40);
        Says($"twelve-chars: primary down 02:14, way in open: ssh -J elevenchars@{host}:49022 -p 22001 tenchars10@127.0.0.1", OutageMessages.Open(Longest, LongestWay with { JumpHost = host }));

        host = new string('h', 58);
        Says($"twelve-chars: primary down, way in open: ssh -J elevenchars@{host}:49022 -p 22001 tenchars10@127.0.0.1", OutageMessages.Open(Longest, LongestWay with { JumpHost = host }));
    }

    [Fact]
    public void A_command_that_does_not_fit_becomes_the_entry_of_the_client_configuration() =>
        Says("home: primary down 02:14, way in open: ssh home", OutageMessages.Open(Home, Way with { JumpHost = new string('h', 120) }));

    [Fact]
    public void Open_has_a_plain_text_for_carriers_that_filter_the_command()
    {
        var alert = OutageMessages.Open(Home, Way);

        Assert.Equal($"home: primary down 02:14, way in open: ssh home #{alert.Id}", alert.Plain);
    }

    [Fact]
    public void Stuck_reads_as_promised() => Says(
        "home: primary down 02:14, way in NOT open: AWS refuses our key. Start VM bastion-home in the cloud app, I will join it.",
        OutageMessages.Stuck(Home, WayInProblem.CloudRefusesKey, Vm));

    [Fact]
    public void Stuck_without_a_second_port_does_not_promise_one() => Says(
        "home: primary down 02:14, way in NOT open: VM up but no tunnel. I keep trying.",
        OutageMessages.Stuck(Home, WayInProblem.VmSilent, new VmFacts("x", "AWS", null)));

    [Fact]
    public void Another_host_key_is_told_beside_ours() => Says(
        "home: primary down 02:14, way in NOT open: wrong key at the VM (hxIjPI6d, not Jq3w7s8d). Do not accept a new key on your phone; I keep trying.",
        OutageMessages.Stuck(Home, WayInProblem.WrongHostKey, new VmFacts("x", "AWS", null) { Keys = ("hxIjPI6d", "Jq3w7s8d") }));

    public static TheoryData<int> Problems => [.. Enum.GetValues<WayInProblem>().Select(p => (int)p)];

    [Theory]
    [MemberData(nameof(Problems))]
    public void Stuck_with_the_longest_fields_is_whole(int problem)
    {
        var text = OutageMessages.Stuck(Longest, (WayInProblem)problem, LongestVm).Text;

        Assert.StartsWith("twelve-chars: primary down 02:14, way in NOT open: ", text, StringComparison.Ordinal);
        Assert.Contains(WayInProblems.Cure((WayInProblem)problem, LongestVm) + ". #", text, StringComparison.Ordinal);
        Assert.DoesNotContain('{', text);
    }

    [Fact]
    public void Every_reason_has_its_words()
    {
        var tunnel = Enum.GetValues<TunnelReason>().Where(r => r is not (TunnelReason.Unknown or TunnelReason.Stopped));
        var cloud = Enum.GetValues<CloudFailure>().Where(f => f != CloudFailure.Unknown);

        Assert.All(tunnel, reason => Assert.NotEqual(WayInProblem.Unknown, WayInProblems.Of(reason)));
        Assert.All(cloud, failure => Assert.NotEqual(WayInProblem.Unknown, WayInProblems.Of(failure)));
        Assert.Equal(WayInProblem.Unknown, WayInProblems.Of(TunnelReason.Stopped));
    }

    [Fact]
    public void Closed_reads_as_promised() => Says(
        "home: primary back 03:02 after 48 min. Way in closed, VM stopped 03:13. Open in 41 s, 1 login, 23 MB of backup, 0.02 USD.",
        OutageMessages.Closed(Home, Closed));

    [Fact]
    public void Closed_with_the_longest_fields_is_whole() => Says(
        "twelve-chars: primary back 23:59 after 99 min. Way in closed, VM stopped 23:59. Open in 99 min, 1000 logins, 999.9 GB of backup, 100.55 USD.",
        OutageMessages.Closed(Longest, LongestClosed));

    [Fact]
    public void Closed_leaves_out_what_is_not_known() => Says(
        "home: primary back. Way in closed. Was never open.",
        OutageMessages.Closed(Home, new ClosedFacts(null, null, false, null, null, null, null, null)));

    [Fact]
    public void Closed_after_the_operator_opened_it_names_no_outage() => Says(
        "home: way in closed, VM stopped 03:13. Open in 41 s, 2 logins, 400 kB of backup.",
        OutageMessages.Closed(Home with { Cause = OpenCause.Operator }, Closed with { Logins = 2, BackupBytes = 400_000, CostUsd = null }));

    [Fact]
    public void Address_change_gives_the_new_command_each_time_under_its_own_id()
    {
        Says("home: VM has a new address, way in open: ssh -J alice@home.example.net:49022 -p 22001 pi@127.0.0.1 (blocked? port 443)", OutageMessages.AddressChanged(Home, Way, 1));
        Assert.NotEqual(OutageMessages.AddressChanged(Home, Way, 1).Id, OutageMessages.AddressChanged(Home, Way, 2).Id);
        Assert.InRange(SmsText.Septets(OutageMessages.AddressChanged(Longest, LongestWay, 1).Text), 140, 160);
    }

    [Fact]
    public void Stopped_by_owner_says_until_when_and_how_to_open_sooner()
    {
        Says("home: you stopped VM bastion-home: way in stays closed until 04:15. To open it: start the VM in the cloud app.", OutageMessages.StoppedByOwner(Home, Vm, TimeSpan.FromHours(1), At("04:15")));
        Says("twelve-chars: you stopped VM bastion-twelv: way in stays closed for 60 min. To open it: start the VM in the cloud app.", OutageMessages.StoppedByOwner(Longest, LongestVm, TimeSpan.FromHours(1), null));
    }

    [Theory]
    [InlineData(CloudFailure.Denied, "home: VM bastion-home does NOT stop (AWS refuses our key) since 03:13 and costs money. Stop it in the cloud app; I keep trying.")]
    [InlineData(CloudFailure.Unknown, "home: VM bastion-home does NOT stop (AWS says yes, it runs on) since 03:13 and costs money. Stop it in the cloud app; I keep trying.")]
    public void Stop_that_fails_says_what_it_costs_and_what_to_do(CloudFailure failure, string text) => Says(text, OutageMessages.StopFailing(Home, failure, Vm, At("03:13")));

    [Fact]
    public void Stop_failing_with_the_longest_fields_keeps_the_verb_and_the_advice()
    {
        foreach (var failure in Enum.GetValues<CloudFailure>())
        {
            var text = OutageMessages.StopFailing(Longest, failure, LongestVm, At("03:13")).Text;

            Assert.InRange(SmsText.Septets(text), 100, 160);
            Assert.Contains("does NOT stop", text, StringComparison.Ordinal);
            Assert.Contains("costs money. Stop it in the cloud app", text, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Raised_again_it_is_the_same_alert_and_kinds_differ()
    {
        Assert.Equal(OutageMessages.Open(Home, Way).Id, OutageMessages.Open(Home with { RaisedAt = At("04:00") }, LongestWay).Id);
        Assert.NotEqual(OutageMessages.Open(Home, Way).Id, OutageMessages.Open(Home with { OutageId = "18" }, Way).Id);
        Assert.NotEqual(OutageMessages.Open(Home, Way).Id, OutageMessages.Closed(Home, Closed).Id);
    }

    private static void Says(string text, Alert alert)
    {
        Assert.Equal($"{text} #{alert.Id}", alert.Text);
        Assert.InRange(SmsText.Septets(alert.Text), 1, 160);
    }

    private static DateTimeOffset At(string clock) => new(new DateOnly(2026, 11, 3), TimeOnly.Parse(clock), TimeSpan.FromHours(1));
}
