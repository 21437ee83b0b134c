using System.Net;
using System.Text.RegularExpressions;
using Common.Processes;
using Lab.Net;
using Lab.World;
using Testing;

namespace Integration.Tests.Net;

/// <summary>A lab of its own, an onlooker in it, and the demand on every fault: its effect is seen, ends, and leaves nothing.</summary>
public abstract class FaultWorld : IAsyncLifetime
{
    protected const Need Needed = Need.Root | Need.NetworkNamespaces | Need.Nft;
    protected const string Name = "a.witness.test";
    protected static readonly TimeSpan Silence = Onlooker.Silence;

    private readonly SystemProcessLauncher _launcher = new(TimeProvider.System);
    private readonly Stack<IAsyncDisposable> _parts = new();
    private Onlooker? _onlooker;
    private LabNet? _net;

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync()
    {
        _onlooker?.Dispose();
        while (_parts.TryPop(out var part))
        {
            await part.DisposeAsync();
        }
    }

    protected LabNet Net => _net!;

    private protected Onlooker Watcher => _onlooker!;

    protected IPAddress Portal => IPAddress.Parse(Net.Addresses["portal"]);

    protected void Keep(IAsyncDisposable part) => _parts.Push(part);

    protected async Task UpAsync(char wiring)
    {
        _net = await LabNet.UpAsync(wiring, failover: false, _launcher, default);
        _parts.Push(_net);
        _onlooker = await Onlooker.StartAsync(_net);
    }

    /// <summary>Sets the fault, looks, clears it; leaves it out where this machine cannot make it.</summary>
    protected async Task WithAsync(string[] words, Func<Task> look)
    {
        var before = await EverythingAsync();
        try
        {
            await Net.FaultAsync(default, words);
        }
        catch (LabNetException e) when (e.CannotRun)
        {
            return;
        }

        Assert.EndsWith($"faults: {words[0]} ", await Net.StatusAsync(default), StringComparison.Ordinal);
        await look();
        await Net.ClearAsync(words[0], default);
        Assert.EndsWith("faults: ", await Net.StatusAsync(default), StringComparison.Ordinal);
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
        var result = await _launcher.RunAsync(new ProcessSpec("sh", ["-c", look, Net.Prefix]), default);
        return Regex.Replace(result.Output, @"packets \d+ bytes \d+", "", RegexOptions.None, TimeSpan.FromSeconds(1));
    }

    protected async Task<(string Resolver, IPAddress Truth)> ServeNamesAsync()
    {
        var (resolver, truth) = (Net.Addresses["dns_a"], IPAddress.Parse(Net.Addresses["tls_a"]));
        var server = await Net.InAsync("cloud", () => DnsServer.Start(new(IPAddress.Parse(resolver), 53)));
        server.Zone.Add(Name, truth);
        _parts.Push(server);
        return (resolver, truth);
    }

    protected Task<IPAddress?> AskAgainAsync(string resolver, IPAddress wanted) =>
        Onlooker.UntilAsync<IPAddress?>(wanted, () => Watcher.AskAsync("primary", resolver, Name, Silence));

    protected Task<string?> SeenAgainAsync(string line) =>
        Onlooker.UntilAsync<string?>(Net.Addresses[line == "box" ? "primary_public" : line + "_public"], () => Watcher.SeenAsync(line, Silence));

    protected async Task<bool> HasCarrierAsync(string line)
    {
        var result = await _launcher.RunAsync(
            new ProcessSpec("ip", ["-n", Net.Prefix + "home", "-br", "link", "show", Net.Addresses[line + "_interface"]]), default);
        return !result.Output.Contains("NO-CARRIER", StringComparison.Ordinal);
    }
}
