using System.Net;
using System.Net.Sockets;
using System.Text.RegularExpressions;
using Common.Processes;
using Lab.Net;
using Lab.World;
using Testing;

namespace Integration.Tests.Net;

/// <summary>Each fault by its name: an onlooker sees its effect, sees it end when it is cleared, and nothing of it is left.</summary>
public sealed class FaultTests : IAsyncLifetime
{
    private const Need Needed = Need.Root | Need.NetworkNamespaces | Need.Nft;
    private const string Name = "a.witness.test";
    private static readonly TimeSpan Silence = Onlooker.Silence;

    private readonly SystemProcessLauncher _launcher = new(TimeProvider.System);
    private readonly Stack<IAsyncDisposable> _parts = new();
    private LabNet _net = null!;
    private Onlooker _onlooker = null!;

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync()
    {
        _onlooker?.Dispose();
        while (_parts.TryPop(out var part))
        {
            await part.DisposeAsync();
        }
    }

    [NeedsFact(Needed)]
    public async Task Dark_lines_are_dark_by_themselves_and_light_again_when_cleared()
    {
        await UpAsync('A');
        foreach (var (line, words) in ((string, string[])[])
            [
                ("primary", ["primary-down"]), ("primary", ["primary-carrier"]), ("primary", ["isp-only"]), ("primary", ["one-way", "up"]),
                ("backup", ["one-way", "down", "backup"]), ("backup", ["backup-down"]), ("backup", ["backup-carrier"]),
            ])
        {
            var other = line == "primary" ? "backup" : "primary";
            await WithAsync(words, async () =>
            {
                Assert.Null(await _onlooker.SeenAsync(line, Silence));
                Assert.Equal(_net.Addresses[other + "_public"], await _onlooker.SeenAsync(other));
                Assert.Equal(words[0].EndsWith("carrier", StringComparison.Ordinal), !await HasCarrierAsync(line));
            });
            Assert.Equal(_net.Addresses[line + "_public"], await SeenAgainAsync(line));
        }
    }

    [NeedsFact(Needed)]
    public async Task Loss_rate_and_delay_are_what_they_say()
    {
        await UpAsync('A');
        await WithAsync(["loss", "50", "backup"], async () =>
        {
            Assert.InRange((await _onlooker.PingAsync("backup", 100)).Received, 5, 60);
            Assert.Equal(20, (await _onlooker.PingAsync("primary", 20)).Received);
        });
        Assert.Equal(20, (await _onlooker.PingAsync("backup", 20)).Received);

        const int bytes = 250_000;
        var limited = TimeSpan.Zero;
        await WithAsync(["rate", "1"], async () => limited = await _onlooker.UploadAsync("primary", bytes));
        Assert.True(limited > TimeSpan.FromSeconds(1.2), $"{limited}");
        Assert.True(await _onlooker.UploadAsync("primary", bytes) < limited);

        foreach (var line in (string[])["primary", "backup"])
        {
            await WithAsync(["delay", "300", "20", line], async () =>
            {
                var (received, shortest) = await _onlooker.PingAsync(line);
                Assert.True(received > 0 && shortest > 270, $"{received} {shortest}");
                Assert.Equal(_net.Addresses[line + "_public"], await _onlooker.SeenAsync(line));
            });
            Assert.True((await _onlooker.PingAsync(line)).Shortest < 270);
        }
    }

    [NeedsFact(Needed)]
    public async Task Resets_end_connections_old_and_new()
    {
        await UpAsync('A');
        using var open = await _onlooker.ConnectAsync("backup");
        using var accepted = await _onlooker.AcceptAsync();
        await WithAsync(["reset", "backup"], async () =>
        {
            await open!.SendAsync("x"u8.ToArray());
            var reset = await Assert.ThrowsAsync<SocketException>(async () => await open.ReceiveAsync(new byte[1]).WaitAsync(Onlooker.Patience));
            Assert.Equal(SocketError.ConnectionReset, reset.SocketErrorCode);
            Assert.Null(await _onlooker.ConnectAsync("backup"));
        });
        Assert.Equal(_net.Addresses["backup_public"], await SeenAgainAsync("backup"));
    }

    [NeedsFact(Needed)]
    public async Task Dns_dies_lies_and_is_honest_again()
    {
        await UpAsync('A');
        var (resolver, truth) = await ServeNamesAsync();
        await WithAsync(["dns-dead"], async () =>
        {
            Assert.Null(await _onlooker.AskAsync("primary", resolver, Name, Silence));
            Assert.Equal(truth, await _onlooker.AskAsync("backup", resolver, Name));
        });
        Assert.Equal(truth, await AskAgainAsync(resolver, truth));
        await WithAsync(["dns-hijack"], async () =>
        {
            Assert.Equal(_net.Addresses["portal"], (await AskAgainAsync(resolver, Portal))?.ToString());
            Assert.Equal(truth, await _onlooker.AskAsync("backup", resolver, Name));
            Assert.Equal(_net.Addresses["primary_public"], await _onlooker.SeenAsync("primary"));
        });
        Assert.Equal(truth, await AskAgainAsync(resolver, truth));
    }

    [NeedsFact(Needed)]
    public async Task Portal_answers_for_everybody_and_proves_nobodys_name()
    {
        await UpAsync('A');
        var (resolver, truth) = await ServeNamesAsync();
        using var authority = LabAuthority.Create();
        var witness = _net.Addresses["tls_a"];
        _parts.Push(await _net.InAsync("cloud", () => TlsServer.StartAsync(new(IPAddress.Parse(witness), 443), authority.Issue(Name)).GetAwaiter().GetResult()));
        await WithAsync(["portal"], async () =>
        {
            Assert.Equal(Portal, await AskAgainAsync(resolver, Portal));
            Assert.Contains("302", await _onlooker.BrowseAsync("primary", witness), StringComparison.Ordinal);
            Assert.Equal("CN=portal.isp.test", await _onlooker.CertificateAsync("primary", witness));
            Assert.Equal("CN=" + Name, await _onlooker.CertificateAsync("backup", witness));
            Assert.Null(await _onlooker.SeenAsync("primary", Silence));
        });
        await WithAsync(["portal", "refused"], async () =>
        {
            Assert.Contains("302", await _onlooker.BrowseAsync("primary", witness), StringComparison.Ordinal);
            Assert.Null(await _onlooker.CertificateAsync("primary", witness));
        });
        Assert.Equal(truth, await AskAgainAsync(resolver, truth));
        Assert.Equal("CN=" + Name, await _onlooker.CertificateAsync("primary", witness));
        Assert.Null(await _onlooker.BrowseAsync("primary", witness));
    }

    [NeedsFact(Needed)]
    public async Task Addresses_change_under_whoever_had_them()
    {
        await UpAsync('A');
        await WithAsync(["address-change"], async () =>
        {
            await Assert.ThrowsAsync<SocketException>(() => _onlooker.SeenAsync("primary"));
            Assert.Equal(_net.Addresses["primary_public_later"], await _onlooker.SeenAsync("primary, later"));
        });
        Assert.Equal(_net.Addresses["primary_public"], await SeenAgainAsync("primary"));
        await WithAsync(["address-change", "backup"], async () =>
            Assert.Equal(_net.Addresses["backup_public_later"], await _onlooker.SeenAsync("backup")));
        Assert.Equal(_net.Addresses["backup_public"], await SeenAgainAsync("backup"));
    }

    [NeedsFact(Needed)]
    public async Task Backup_with_ipv6_only_has_no_ipv4()
    {
        await UpAsync('A');
        foreach (var (words, address) in ((string[], string)[])[(["v6-only"], "2001:db8:64::64"), (["v6-only", "nat64"], "2001:db8:64:ff9b::203.0.113.64")])
        {
            await WithAsync(words, async () =>
            {
                Assert.Equal(1, await Onlooker.UntilAsync(1, async () => Math.Min(1, (await _onlooker.PingAsync("backup", address)).Received)));
                Assert.Equal(0, (await _onlooker.PingAsync("backup")).Received);
                Assert.Equal(_net.Addresses["primary_public"], await _onlooker.SeenAsync("primary"));
            });
            Assert.Equal(_net.Addresses["backup_public"], await SeenAgainAsync("backup"));
            Assert.Equal(0, (await _onlooker.PingAsync("backup", address)).Received);
        }
    }

    [NeedsTheory(Needed)]
    [InlineData('A', "primary")]
    [InlineData('B', "primary")]
    [InlineData('C', "box")]
    public async Task Power_cut_takes_everything_and_gives_the_backup_back_first(char wiring, string primary)
    {
        await UpAsync(wiring);
        await WithAsync(["power-cut"], async () =>
        {
            Assert.Null(await _onlooker.SeenAsync(primary, Silence));
            Assert.Null(await _onlooker.SeenAsync("backup", Silence));
            Assert.False(await HasCarrierAsync("backup"));
            await _net.FaultAsync(default, "power-cut", "returned");
            Assert.Equal(_net.Addresses["backup_public"], await SeenAgainAsync("backup"));
            Assert.True(await HasCarrierAsync("backup"));
            Assert.Null(await _onlooker.SeenAsync(primary, Silence));
        });
        Assert.Equal(_net.Addresses["primary_public"], await SeenAgainAsync(primary));
    }

    [NeedsTheory(Needed)]
    [InlineData('B', "primary")]
    [InlineData('C', "box")]
    public async Task Router_that_falls_over_hides_the_death_of_the_primary(char wiring, string primary)
    {
        await UpAsync(wiring);
        Assert.Equal(_net.Addresses["primary_public"], await _onlooker.SeenAsync(primary));
        await WithAsync(["fall-over"], async () =>
        {
            Assert.Equal(_net.Addresses["backup_public"], await _onlooker.SeenAsync(primary));
            Assert.Equal(_net.Addresses["backup_public"], await _onlooker.SeenAsync("backup"));
        });
        Assert.Equal(_net.Addresses["primary_public"], await SeenAgainAsync(primary));
    }

    [NeedsFact(Needed)]
    public async Task What_is_asked_wrongly_is_told_and_changes_nothing()
    {
        await UpAsync('A');
        foreach (var words in (string[][])[["nonsense"], ["loss", "0"], ["loss", "5", "nowhere"], ["fall-over"], ["portal", "refused", "primary", "more"], ["nat-rebind"]])
        {
            var error = await Assert.ThrowsAsync<LabNetException>(() => _net.FaultAsync(default, words));
            Assert.Contains("lab/net --help", error.Message, StringComparison.Ordinal);
        }

        Assert.EndsWith("faults: ", await _net.StatusAsync(default), StringComparison.Ordinal);
    }

    private IPAddress Portal => IPAddress.Parse(_net.Addresses["portal"]);

    private async Task UpAsync(char wiring)
    {
        _net = await LabNet.UpAsync(wiring, failover: false, _launcher, default);
        _parts.Push(_net);
        _onlooker = await Onlooker.StartAsync(_net);
    }

    /// <summary>Sets the fault, looks, clears it; leaves it out where this machine cannot make it.</summary>
    private async Task WithAsync(string[] words, Func<Task> look)
    {
        var before = await EverythingAsync();
        try
        {
            await _net.FaultAsync(default, words);
        }
        catch (LabNetException e) when (e.CannotRun)
        {
            return;
        }

        Assert.EndsWith($"faults: {words[0]} ", await _net.StatusAsync(default), StringComparison.Ordinal);
        await look();
        await _net.ClearAsync(words[0], default);
        Assert.EndsWith("faults: ", await _net.StatusAsync(default), StringComparison.Ordinal);
        Assert.Equal(before, await Onlooker.UntilAsync(before, EverythingAsync));
    }

    /// <summary>Addresses, routes, rules, queues and tables of every part, without what counts.</summary>
    private async Task<string> EverythingAsync()
    {
        const string look = """
            for part in home router isp1 isp2 cloud; do
              [ -e "/run/netns/$0$part" ] || continue
              echo "== $part"
              ip -n "$0$part" -o addr show | grep -v ' fe80:' | sed 's/valid_lft.*//'
              ip -n "$0$part" route show table all | grep -v 'fe80:\|ff00:' | sed 's/ linkdown//' | sort
              ip -n "$0$part" rule
              nsenter --net="/run/netns/$0$part" sh -c 'tc qdisc; nft list ruleset'
            done
            """;
        var result = await _launcher.RunAsync(new ProcessSpec("sh", ["-c", look, _net.Prefix]), default);
        return Regex.Replace(result.Output, @"packets \d+ bytes \d+", "", RegexOptions.None, TimeSpan.FromSeconds(1));
    }

    private async Task<(string Resolver, IPAddress Truth)> ServeNamesAsync()
    {
        var (resolver, truth) = (_net.Addresses["dns_a"], IPAddress.Parse(_net.Addresses["tls_a"]));
        var server = await _net.InAsync("cloud", () => DnsServer.Start(new(IPAddress.Parse(resolver), 53)));
        server.Zone.Add(Name, truth);
        _parts.Push(server);
        return (resolver, truth);
    }

    private Task<IPAddress?> AskAgainAsync(string resolver, IPAddress wanted) =>
        Onlooker.UntilAsync<IPAddress?>(wanted, () => _onlooker.AskAsync("primary", resolver, Name, Silence));

    private Task<string?> SeenAgainAsync(string line) =>
        Onlooker.UntilAsync<string?>(_net.Addresses[line == "box" ? "primary_public" : line + "_public"], () => _onlooker.SeenAsync(line, Silence));

    private async Task<bool> HasCarrierAsync(string line)
    {
        var result = await _launcher.RunAsync(
            new ProcessSpec("ip", ["-n", _net.Prefix + "home", "-br", "link", "show", _net.Addresses[line + "_interface"]]), default);
        return !result.Output.Contains("NO-CARRIER", StringComparison.Ordinal);
    }
}
