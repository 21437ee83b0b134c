using System.Net;
using System.Net.Sockets;
using Lab.World;
using Testing;

namespace Integration.Tests.Net;

/// <summary>Lines that carry something, but not what they should.</summary>
public sealed class SubtleFaultTests : FaultWorld
{
    [NeedsFact(Needed)]
    public async Task Loss_rate_and_delay_are_what_they_say()
    {
        await UpAsync('A');
        await WithAsync(["loss", "50", "backup"], async () =>
        {
            Assert.InRange((await Watcher.PingAsync("backup", 100)).Received, 5, 60);
            Assert.Equal(20, (await Watcher.PingAsync("primary", 20)).Received);
        });
        Assert.Equal(20, (await Watcher.PingAsync("backup", 20)).Received);

        const int bytes = 250_000;
        var limited = TimeSpan.Zero;
        await WithAsync(["rate", "1"], async () => limited = await Watcher.UploadAsync("primary", bytes));
        Assert.True(limited > TimeSpan.FromSeconds(1.2), $"{limited}");
        Assert.True(await Watcher.UploadAsync("primary", bytes) < limited);

        foreach (var line in (string[])["primary", "backup"])
        {
            await WithAsync(["delay", "300", "20", line], async () =>
            {
                var (received, shortest) = await Watcher.PingAsync(line);
                Assert.True(received > 0 && shortest > 270, $"{received} {shortest}");
                Assert.Equal(Net.Addresses[line + "_public"], await Watcher.SeenAsync(line));
            });
            Assert.True((await Watcher.PingAsync(line)).Shortest < 270);
        }
    }

    [NeedsFact(Needed)]
    public async Task Resets_end_connections_old_and_new()
    {
        await UpAsync('A');
        using var open = await Watcher.ConnectAsync("backup");
        using var accepted = await Watcher.AcceptAsync();
        await WithAsync(["reset", "backup"], async () =>
        {
            await open!.SendAsync("x"u8.ToArray());
            var reset = await Assert.ThrowsAsync<SocketException>(async () => await open.ReceiveAsync(new byte[1]).WaitAsync(Onlooker.Patience));
            Assert.Equal(SocketError.ConnectionReset, reset.SocketErrorCode);
            Assert.Null(await Watcher.ConnectAsync("backup"));
        });
        Assert.Equal(Net.Addresses["backup_public"], await SeenAgainAsync("backup"));
    }

    [NeedsFact(Needed)]
    public async Task Dns_dies_lies_and_is_honest_again()
    {
        await UpAsync('A');
        var (resolver, truth) = await ServeNamesAsync();
        await WithAsync(["dns-dead"], async () =>
        {
            Assert.Null(await Watcher.AskAsync("primary", resolver, Name, Silence));
            Assert.Equal(truth, await Watcher.AskAsync("backup", resolver, Name));
        });
        Assert.Equal(truth, await AskAgainAsync(resolver, truth));
        await WithAsync(["dns-hijack"], async () =>
        {
            Assert.Equal(Net.Addresses["portal"], (await AskAgainAsync(resolver, Portal))?.ToString());
            Assert.Equal(truth, await Watcher.AskAsync("backup", resolver, Name));
            Assert.Equal(Net.Addresses["primary_public"], await Watcher.SeenAsync("primary"));
        });
        Assert.Equal(truth, await AskAgainAsync(resolver, truth));
    }

    [NeedsFact(Needed)]
    public async Task Portal_answers_for_everybody_and_proves_nobodys_name()
    {
        await UpAsync('A');
        var (resolver, truth) = await ServeNamesAsync();
        using var authority = LabAuthority.Create();
        var witness = Net.Addresses["tls_a"];
        Keep(await Net.InAsync("cloud", () => TlsServer.StartAsync(new(IPAddress.Parse(witness), 443), authority.Issue(Name)).GetAwaiter().GetResult()));
        await WithAsync(["portal"], async () =>
        {
            Assert.Equal(Portal, await AskAgainAsync(resolver, Portal));
            Assert.Contains("302", await Watcher.BrowseAsync("primary", witness), StringComparison.Ordinal);
            Assert.Equal("CN=portal.isp.test", await Watcher.CertificateAsync("primary", witness));
            Assert.Equal("CN=" + Name, await Watcher.CertificateAsync("backup", witness));
            Assert.Null(await Watcher.SeenAsync("primary", Silence));
        });
        await WithAsync(["portal", "refused"], async () =>
        {
            Assert.Contains("302", await Watcher.BrowseAsync("primary", witness), StringComparison.Ordinal);
            Assert.Null(await Watcher.CertificateAsync("primary", witness));
        });
        Assert.Equal(truth, await AskAgainAsync(resolver, truth));
        Assert.Equal("CN=" + Name, await Watcher.CertificateAsync("primary", witness));
        Assert.Null(await Watcher.BrowseAsync("primary", witness));
    }

    [NeedsFact(Needed)]
    public async Task Backup_with_ipv6_only_has_no_ipv4()
    {
        await UpAsync('A');
        foreach (var (words, address) in ((string[], string)[])[(["v6-only"], "2001:db8:64::64"), (["v6-only", "nat64"], "2001:db8:64:ff9b::203.0.113.64")])
        {
            await WithAsync(words, async () =>
            {
                Assert.Equal(1, await Onlooker.UntilAsync(1, async () => Math.Min(1, (await Watcher.PingAsync("backup", address)).Received)));
                Assert.Equal(0, (await Watcher.PingAsync("backup")).Received);
                Assert.Equal(Net.Addresses["primary_public"], await Watcher.SeenAsync("primary"));
            });
            Assert.Equal(Net.Addresses["backup_public"], await SeenAgainAsync("backup"));
            Assert.Equal(0, (await Watcher.PingAsync("backup", address)).Received);
        }
    }

    [NeedsTheory(Needed)]
    [InlineData('B', "primary")]
    [InlineData('C', "box")]
    public async Task Router_that_falls_over_hides_the_death_of_the_primary(char wiring, string primary)
    {
        await UpAsync(wiring);
        Assert.Equal(Net.Addresses["primary_public"], await Watcher.SeenAsync(primary));
        await WithAsync(["fall-over"], async () =>
        {
            Assert.Equal(Net.Addresses["backup_public"], await Watcher.SeenAsync(primary));
            Assert.Equal(Net.Addresses["backup_public"], await Watcher.SeenAsync("backup"));
        });
        Assert.Equal(Net.Addresses["primary_public"], await SeenAgainAsync(primary));
    }
}
