using System.Collections.Immutable;
using System.Net;
using Common.Time;
using InternalHost.Configuration;
using InternalHost.Doctor;
using InternalHost.Tests.Configuration;
using InternalHost.Wan.Detection;
using InternalHost.Wan.Links;
using InternalHost.Wan.Probes;
using Testing;

namespace InternalHost.Tests.Doctor;

public sealed class WiringCheckTests : IDisposable
{
    private readonly SiteFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Two_public_addresses_prove_the_wiring()
    {
        var finding = await EgressAsync(Site(), "198.51.100.7", "203.0.113.7");

        Assert.Equal(Health.Ok, finding.Verdict);
        Assert.Contains("proven: the world sees the primary as 198.51.100.7, the backup as 203.0.113.7", finding.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task One_public_address_for_both_fails_with_the_routers_rules()
    {
        var finding = await EgressAsync(Site(), "203.0.113.7", "203.0.113.7");

        Assert.Equal(Health.Fail, finding.Verdict);
        Assert.Contains("source 192.168.1.5, gateway WAN1; source 192.168.1.6, gateway WAN2", finding.Next, StringComparison.Ordinal);
        // A rule whose gateway is down is not left out by default: it then sends by the default line, which is falling over.
        Assert.Contains("\"Skip rules when gateway is down\" on", finding.Next, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(null, "203.0.113.7", "by the primary was not found out")]
    [InlineData("203.0.113.7", null, "by the backup was not found out")]
    [InlineData(null, null, "by the primary or backup was not found out")]
    public async Task What_was_not_found_out_proves_nothing(string? primary, string? backup, string expected)
    {
        var finding = await EgressAsync(Site(), primary, backup);

        Assert.Equal(Health.CannotTell, finding.Verdict);
        Assert.Contains(expected, finding.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Where_nothing_leaves_by_the_primary_only_the_backup_is_asked()
    {
        var site = Site() with { Primary = new UplinkOptions(UplinkName.Primary, "") };

        var finding = await EgressAsync(site, "198.51.100.7", "203.0.113.7");
        var wiring = Assert.Single(await new WiringCheck(site, () => [new HostLink("eth0", 1, true)]).RunAsync(default));

        Assert.Equal((Health.Ok, "the backup leaves as 203.0.113.7"), (finding.Verdict, finding.Detail));
        Assert.Equal(Health.Warn, wiring.Verdict);
        Assert.Contains("no automatic failover", wiring.Detail, StringComparison.Ordinal);
        Assert.Single(await new RouteCheck(site, new NoPaths()).RunAsync(default));
    }

    [Theory]
    [InlineData("A", 1, true, 1, true)]
    [InlineData("B", 2, true, 1, false)]
    [InlineData("C", 1, true, 1, false)]
    [InlineData("Unknown", 1, false, 2, false)]
    public void Links_suggest_a_wiring(string expected, int first, bool firstLeads, int second, bool secondLeads) => Assert.Equal(
        expected, WiringAdvice.Suggest([new HostLink("eth0", first, firstLeads), new HostLink("eth1", second, secondLeads)]).Wiring.ToString());

    [Fact]
    public async Task Slow_check_is_named_while_it_runs()
    {
        var (time, told) = (new FakeTime(), new List<string>());
        var done = new TaskCompletionSource<ImmutableArray<Finding>>();
        var run = ListAsync(new DoctorRunner([new Waiting(done.Task)], time, told.Add));

        time.Advance(TimeSpan.FromSeconds(0.9));
        var before = told.Count;
        time.Advance(TimeSpan.FromSeconds(0.2));
        done.SetResult([Finding.Ok("slow one", "good")]);

        Assert.Equal(0, before);
        Assert.Equal(["slow one"], told);
        Assert.Equal(Health.Ok, Assert.Single(await run).Verdict);
    }

    private static async Task<List<Finding>> ListAsync(DoctorRunner runner)
    {
        var findings = new List<Finding>();
        await foreach (var finding in runner.RunAsync(default))
        {
            findings.Add(finding);
        }

        return findings;
    }

    private static async Task<Finding> EgressAsync(SiteOptions site, string? primary, string? backup) => Assert.Single(
        await new EgressCheck(site, (uplink, _) => Task.FromResult(Seen(uplink.Name == UplinkName.Primary ? primary : backup))).RunAsync(default));

    private static PublicAddress? Seen(string? address) =>
        address is null ? null : new PublicAddress(IPAddress.Parse(address), AddressSource.Stun, Instant.Now(TimeProvider.System));

    private SiteOptions Site() => _folder.Load(_folder.Good).OptionsOrThrow();

    private sealed class NoPaths : IPathLookup
    {
        public PathSight Look(UplinkOptions uplink, ImmutableArray<IPAddress> targets) => PathState.Present;
    }

    private sealed class Waiting(Task<ImmutableArray<Finding>> result) : IDoctorCheck
    {
        public string Name => "slow one";

        public Task<ImmutableArray<Finding>> RunAsync(CancellationToken ct) => result;
    }
}
