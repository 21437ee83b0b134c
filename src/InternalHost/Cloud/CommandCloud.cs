using System.Collections.Immutable;
using Common.Processes;
using InternalHost.Configuration;

namespace InternalHost.Cloud;

/// <summary>
/// Provider <c>command</c>: the owner's own programs describe, start and stop the VM. describe prints one JSON object,
/// <c>{"state": "running", "addresses": ["203.0.113.7"], "id": "i-1"}</c>; the exit status of each says what went wrong
/// (<see cref="CommandReply.FailureOf"/>).
/// </summary>
internal sealed class CommandCloud(CloudCommands commands, IProcessLauncher launcher, TimeProvider time) : ICloud
{
    private static readonly TimeSpan DescribeTimeout = TimeSpan.FromSeconds(20);

    /// <summary>Providers' own tools wait for their API's slow answers.</summary>
    private static readonly TimeSpan ChangeTimeout = TimeSpan.FromSeconds(60);

    public Lifecycle Lifecycle => Lifecycle.StopStart;

    public async Task<InstanceSight> DescribeAsync(CancellationToken ct) =>
        CommandReply.Parse((await RunAsync("describe", commands.Describe, DescribeTimeout, ct)).Output);

    public Task StartAsync(CancellationToken ct) => RunAsync("start", commands.Start, ChangeTimeout, ct);

    public Task StopAsync(CancellationToken ct) => RunAsync("stop", commands.Stop, ChangeTimeout, ct);

    private async Task<ProcessResult> RunAsync(string op, ImmutableArray<string> command, TimeSpan limit, CancellationToken ct)
    {
        using var timeout = new CancellationTokenSource(limit, time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(ct, timeout.Token);
        try
        {
            var result = await launcher.RunAsync(new ProcessSpec(command[0], [.. command.Skip(1)]), both.Token);
            return result.Ok ? result : throw new CloudException(CommandReply.FailureOf(result.Exit), $"the {op} command {CommandReply.Told(result)}");
        }
        catch (OperationCanceledException e) when (!ct.IsCancellationRequested)
        {
            throw new CloudException(CloudFailure.LostReply, $"the {op} command did not end in {limit.TotalSeconds} s and was stopped", e);
        }
        catch (ProcessStartException e)
        {
            throw new CloudException(CloudFailure.Unknown, $"the {op} command cannot be run: {e.Message}", e);
        }
    }
}
