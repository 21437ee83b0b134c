using System.Text.Json.Nodes;
using Testing;

namespace Integration.Tests.Packages;

/// <summary>What the tests of a hardened host share. Every fact leaves a good host.</summary>
public abstract class HardenedTests(InstalledBox world) : IAsyncLifetime
{
    private HardenedBox? _host;

    private protected HardenedBox Host => _host!;

    private protected Box Box => Host.Box;

    public async Task InitializeAsync()
    {
        if (Needs.Missing(InstalledBox.Needed) is null)
        {
            _host = await world.HardenedAsync();
        }
    }

    public Task DisposeAsync() => Task.CompletedTask;

    protected async Task NothingToChangeAsync() => Assert.Contains("nothing to change", await Box.RunAsync("bastion", "install"), StringComparison.Ordinal);

    /// <summary>Every check passes, or is known to fail here. Alerts may still be on their way.</summary>
    protected async Task AuditPassesAsync()
    {
        List<JsonNode> lines = [];
        await Box.UntilAsync(
            async () =>
            {
                lines = await AuditAsync();
                return !lines.Any(l => (string?)l["id"] == "ALT-006");
            },
            "no alert waits");
        var said = string.Join('\n', lines.Select(l => l.ToJsonString()));

        Assert.True((bool)lines[^1]["ok"]!, said);
        Assert.Equal(0, (int)lines[^1]["cannot_evaluate"]!);
        Assert.All(lines.SkipLast(1), l => Assert.True((string)l["id"]! is "TIM-001" or "SSH-016" or "SSH-013", said));
    }

    /// <summary>What does not pass, and the summary.</summary>
    protected async Task<List<JsonNode>> AuditAsync() =>
        [.. (await Box.TryAsync("bastion", "audit", "--json")).Output.Split('\n').Select(l => JsonNode.Parse(l)!).Where(l => (string?)l["outcome"] != "pass")];
}
