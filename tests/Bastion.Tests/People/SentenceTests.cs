using System.Collections.Immutable;
using Bastion.People;
using Common.Time;

namespace Bastion.Tests.People;

public sealed class SentenceTests
{
    private static readonly Instant Now = new(TimeSpan.FromMinutes(14).Ticks);
    private static readonly SiteStatus Home = new("home", new Dictionary<int, string> { [22001] = "ssh", [22002] = "console" }, TimeSpan.FromMinutes(2).Ticks);
    private static readonly SiteStatus Work = new("work", new Dictionary<int, string> { [22101] = "ssh" }, null);

    [Fact]
    public void Way_in_that_is_open_is_named_with_what_this_person_may_reach() => Assert.Equal(
        "home: way in open for 12 min; you may jump to ssh (22001), console (22002).", Say([Home, Work], [22001, 22002], [22001, 22002, 22101]));

    [Fact]
    public void What_is_somebody_elses_or_not_there_is_not_named() => Assert.Equal(
        "home: way in open for 12 min; you may jump to console (22002).", Say([Home], [22002], [22001, 22002]));

    [Fact]
    public void Tunnel_that_is_not_there_yet_is_no_error() => Assert.Equal(
        "work: its tunnel is not connected (VM up 14 min); nothing to reach yet.", Say([Home, Work], [22101], []));

    [Fact]
    public void Tunnel_without_the_persons_service_says_so() => Assert.Equal(
        "home: its tunnel is connected for 12 min; nothing of yours to reach yet.", Say([Home], [22001], []));

    [Fact]
    public void Each_site_has_its_sentence() => Assert.Equal(2, Say([Home, Work], [22001, 22101], [22001]).Split('\n').Length);

    [Fact]
    public void Agent_that_says_nothing_leaves_what_the_kernel_says() => Assert.Equal("bastion: way in open; you may jump to 22001.", Say(null, [22001], [22001]));

    [Fact]
    public void Key_without_a_service_is_told_so() => Assert.Contains("no service", Say([Home], [], [22001]));

    [Fact]
    public void Ports_are_those_of_the_persons_key_file() => Assert.Equal(
        [22001, 22002], Sentence.Ports("restrict,port-forwarding,permitopen=\"127.0.0.1:22002\",permitopen=\"127.0.0.1:22001\" ssh-ed25519 AAAA\nrestrict ssh-ed25519 BBBB\n"));

    private static string Say(ImmutableArray<SiteStatus>? sites, int[] may, int[] listening) => Sentence.Of(sites, [.. may], listening.ToHashSet(), Now);
}
