using InternalHost.Wan.Detection;
using Lab.Demo;
using Testing;

namespace Integration.Tests.Running;

/// <summary>Whole outages in networks whose backup is not an everyday one. They are played side by side, and mostly wait.</summary>
public sealed class LabOutageTests(LabOutageTests.Plays plays) : IClassFixture<LabOutageTests.Plays>
{
    /// <summary>The backup has IPv6 only; witnesses, gateway and VM have both families, and the owner IPv4.</summary>
    [NeedsFact(LabOutage.Needed)]
    public Task Outage_over_ipv6_tells_the_owner_an_address_of_ipv4() => plays.V6.Value;

    /// <summary>The backup has IPv6 only, all others IPv4 only; the carrier translates.</summary>
    [NeedsFact(LabOutage.Needed | Need.Tayga)]
    public Task Outage_through_nat64_tells_the_owner_the_vms_own_address() => plays.Nat64.Value;

    /// <summary>This host is routed by the backup only; somebody of the LAN logs in to it.</summary>
    [NeedsFact(LabOutage.Needed | Need.PamWorld)]
    public Task Outage_seen_by_others_is_survived() => plays.Observed.Value;

    public sealed class Plays : IAsyncLifetime
    {
        public Lazy<Task> V6 { get; } = new(PlayV6Async);

        public Lazy<Task> Nat64 { get; } = new(PlayNat64Async);

        public Lazy<Task> Observed { get; } = new(PlayObservedAsync);

        public Task InitializeAsync()
        {
            foreach (var (play, needs) in ((Lazy<Task>, Need)[])[(V6, LabOutage.Needed), (Nat64, LabOutage.Needed | Need.Tayga), (Observed, LabOutage.Needed | Need.PamWorld)])
            {
                _ = Needs.Missing(needs) is null ? play.Value : null;
            }

            return Task.CompletedTask;
        }

        /// <summary>Also those whose test was not asked for.</summary>
        public async Task DisposeAsync()
        {
            foreach (var play in (Lazy<Task>[])[V6, Nat64, Observed])
            {
                await (play.IsValueCreated ? play.Value : Task.CompletedTask).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }

    private static async Task PlayV6Async()
    {
        await using var outage = await LabOutage.StartAsync('A', BackupFamily.V6);

        var (status, told) = await outage.FallAsync(Reasons.Dark);

        Assert.StartsWith($"[{outage.Places.BastionV6}]:", status.Tunnel.Address, StringComparison.Ordinal);
        Assert.Contains($"@{outage.Places.Bastion}:", told, StringComparison.Ordinal);
        Assert.Equal($"{outage.Places.Backup.Address}", status.Uplinks.Backup.PublicAddress);
        await outage.LogInAsync(told);
        await outage.ComeBackAsync();
    }

    private static async Task PlayNat64Async()
    {
        await using var outage = await LabOutage.StartAsync('A', BackupFamily.V6WithNat64);
        var doctor = await outage.AtHomeAsync("doctor", "--json");

        var (status, told) = await outage.FallAsync(Reasons.Dark);

        Assert.StartsWith("[2001:db8:64:ff9b::", status.Tunnel.Address, StringComparison.Ordinal);
        Assert.Contains($"@{outage.Places.Bastion}:", told, StringComparison.Ordinal);
        Assert.Equal("203.0.113.5", status.Uplinks.Backup.PublicAddress);
        AssertSays(doctor.Output, "egress", "ok", "the primary as 198.51.100.10, the backup as 203.0.113.5");
        await outage.LogInAsync(told);
        await outage.ComeBackAsync();
    }

    private static async Task PlayObservedAsync()
    {
        await using var outage = await LabOutage.StartAsync('C', BackupFamily.V4, withLogins: true);
        var doctor = await outage.AtHomeAsync("doctor", "--json");

        // The box of the LAN is no tunnel, and not exempt.
        Assert.Contains(": alice, NEW KEY, from 10.80.0.7 (new network). Not you? Type: internalhost close. #", await outage.LogInFromLanAsync(), StringComparison.Ordinal);

        var (_, told) = await outage.FallAsync(Reasons.Observed);

        await outage.LogInAsync(told);
        await outage.ComeBackAsync();
        AssertSays(doctor.Output, "wiring", "ok", "C: this machine goes by the backup (lan)");
        AssertSays(doctor.Output, "router command", "ok", "says up");
        AssertSays(doctor.Output, "lan relay", "ok", "proves its name");
        AssertSays(doctor.Output, "outside", "ok", "answers or refuses");
        AssertSays(doctor.Output, "egress", "ok", "the backup leaves as 203.0.113.5");
    }

    private static void AssertSays(string output, string check, string verdict, string detail) => Assert.Contains(
        output.Split('\n'),
        line => line.Contains($"\"check\":\"{check}\",\"verdict\":\"{verdict}\"", StringComparison.Ordinal) && line.Contains(detail, StringComparison.Ordinal));
}
