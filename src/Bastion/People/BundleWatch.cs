using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Bastion.People;

/// <summary>Lets the agent be put together anew when a bundle has changed. What it remembers is on disk, as over any restart.</summary>
internal sealed partial class BundleWatch(AgentBundles bundles, string mark, Action renew, TimeProvider time, ILogger<BundleWatch> logger) : BackgroundService
{
    private static readonly TimeSpan LookEvery = TimeSpan.FromSeconds(1);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        try
        {
            while (bundles.Mark() == mark)
            {
                await Task.Delay(LookEvery, time, stoppingToken);
            }

            Changed(logger);
            renew();
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
        }
    }

    [LoggerMessage(701, LogLevel.Information, "the sites' bundles have changed: they count from now on")]
    private static partial void Changed(ILogger logger);
}
