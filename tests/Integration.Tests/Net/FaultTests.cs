using System.Net.Sockets;
using Lab.Net;
using Testing;

namespace Integration.Tests.Net;

/// <summary>Lines, carriers, addresses and power that fail.</summary>
public sealed class FaultTests : FaultWorld
{
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
                Assert.Null(await Watcher.SeenAsync(line, Silence));
                Assert.Equal(Net.Addresses[other + "_public"], await Watcher.SeenAsync(other));
                Assert.Equal(words[0].EndsWith("carrier", StringComparison.Ordinal), !await HasCarrierAsync(line));
            });
            Assert.Equal(Net.Addresses[line + "_public"], await SeenAgainAsync(line));
        }
    }

    [NeedsFact(Needed)]
    public async Task Addresses_change_under_whoever_had_them()
    {
        await UpAsync('A');
        await WithAsync(["address-change"], async () =>
        {
            await Assert.ThrowsAsync<SocketException>(() => Watcher.SeenAsync("primary"));
            Assert.Equal(Net.Addresses["primary_public_later"], await Watcher.SeenAsync("primary, later"));
        });
        Assert.Equal(Net.Addresses["primary_public"], await SeenAgainAsync("primary"));
        await WithAsync(["address-change", "backup"], async () =>
            Assert.Equal(Net.Addresses["backup_public_later"], await Watcher.SeenAsync("backup")));
        Assert.Equal(Net.Addresses["backup_public"], await SeenAgainAsync("backup"));
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
            Assert.Null(await Watcher.SeenAsync(primary, Silence));
            Assert.Null(await Watcher.SeenAsync("backup", Silence));
            Assert.False(await HasCarrierAsync("backup"));
            await Net.FaultAsync(default, "power-cut", "returned");
            Assert.Equal(Net.Addresses["backup_public"], await SeenAgainAsync("backup"));
            Assert.True(await HasCarrierAsync("backup"));
            Assert.Null(await Watcher.SeenAsync(primary, Silence));
        });
        Assert.Equal(Net.Addresses["primary_public"], await SeenAgainAsync(primary));
    }

    [NeedsFact(Needed)]
    public async Task What_is_asked_wrongly_is_told_and_changes_nothing()
    {
        await UpAsync('A');
        foreach (var words in (string[][])[["nonsense"], ["loss", "0"], ["loss", "5", "nowhere"], ["fall-over"], ["portal", "refused", "primary", "more"], ["nat-rebind"]])
        {
            var error = await Assert.ThrowsAsync<LabNetException>(() => Net.FaultAsync(default, words));
            Assert.Contains("lab/net --help", error.Message, StringComparison.Ordinal);
        }

        Assert.EndsWith("faults: ", await Net.StatusAsync(default), StringComparison.Ordinal);
    }
}
