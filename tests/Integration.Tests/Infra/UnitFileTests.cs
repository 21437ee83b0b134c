using Common.Processes;
using Lab;
using Testing;

namespace Integration.Tests.Infra;

public sealed class UnitFileTests
{
    /// <summary>Exposure 2.0, as systemd-analyze counts it in tenths.</summary>
    private const string MostExposed = "20";

    private readonly SystemProcessLauncher _launcher = new(TimeProvider.System);

    [NeedsTheory(Need.SystemdAnalyze)]
    [InlineData("infra/bastion/bastion-agent.service")]
    [InlineData("infra/bastion/bastion-poweroff.service")]
    [InlineData("infra/bastion/bastion-bundle@.service")]
    [InlineData("infra/bastion/bastion-reach.service")]
    [InlineData("infra/internalhost/internalhost.service")]
    public async Task Unit_is_sandboxed(string unit)
    {
        var result = await RunAsync("security", "--offline=true", $"--threshold={MostExposed}", Path.Combine(Repository.Root, unit));

        Assert.True(result.Ok, result.Output + result.Error);
    }

    [NeedsTheory(Need.SystemdAnalyze)]
    [InlineData("infra/bastion/bastion-agent.service")]
    [InlineData("infra/bastion/bastion-poweroff.service")]
    [InlineData("infra/bastion/bastion-bundle@.service")]
    [InlineData("infra/bastion/bastion-reach.service")]
    [InlineData("infra/internalhost/internalhost.service")]
    public async Task Unit_has_no_word_that_systemd_does_not_know(string unit)
    {
        var result = await RunAsync("verify", "--man=no", Path.Combine(Repository.Root, unit));

        // The program itself is not installed on the machine that tests.
        var complaints = result.Error.Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .Where(l => l.StartsWith(Path.GetFileName(unit), StringComparison.Ordinal) || l.Contains(unit, StringComparison.Ordinal))
            .Where(l => !l.Contains("is not executable", StringComparison.Ordinal));
        Assert.Empty(complaints);
    }

    private Task<ProcessResult> RunAsync(params string[] arguments) =>
        _launcher.RunAsync(new ProcessSpec("systemd-analyze", arguments), new CancellationTokenSource(TimeSpan.FromSeconds(60)).Token);
}
