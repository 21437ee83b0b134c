using System.Collections.Immutable;
using System.Net;
using Common.Processes;
using Common.Text;
using Common.Time;
using InternalHost.Wan.Detection;
using InternalHost.Wan.Probes;
using Microsoft.Extensions.Logging;

namespace InternalHost.Wan.Observing;

/// <summary>Wiring C: asks the router by the owner's command. Whatever is wrong with the command is told once, and counts as not known.</summary>
internal sealed partial class RouterObserver(ImmutableArray<string> command, IProcessLauncher launcher, TimeProvider time, ILogger<RouterObserver> log)
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(5);

    /// <summary>One line is asked for; a second shows that there are more.</summary>
    private const int MostLines = 3;

    private readonly Lock _gate = new();
    private PublicAddress? _address;
    private string? _told;

    /// <summary>The primary's public address as the command printed it last; null: never.</summary>
    public PublicAddress? Address
    {
        get
        {
            lock (_gate)
            {
                return _address;
            }
        }
    }

    public async Task<ProbeOutcome> AskAsync(CancellationToken giveUp) => (await LearnAsync(giveUp)).Reply?.Outcome ?? ProbeOutcome.Lost;

    /// <summary>What it says now; null with the reason, where that is nothing that can be understood.</summary>
    public async Task<(RouterReply? Reply, string? Problem)> LearnAsync(CancellationToken giveUp)
    {
        var (reply, problem) = await RunAsync(giveUp);
        if (!giveUp.IsCancellationRequested)
        {
            Note(reply, problem);
        }

        return (reply, problem);
    }

    private async Task<(RouterReply? Reply, string? Problem)> RunAsync(CancellationToken giveUp)
    {
        using var limit = new CancellationTokenSource(Limit, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, giveUp);
        var (output, error) = (new List<string>(), "");
        try
        {
            await using var child = launcher.Start(new ProcessSpec(command[0], [.. command.Skip(1)]), Collect);
            await using var ending = either.Token.Register(() => _ = child.StopAsync());
            var exit = await child.Exited;
            lock (output)
            {
                return either.IsCancellationRequested ? (null, $"it did not end in {Limit.TotalSeconds:0} s and was stopped")
                    : exit.Code != 0 ? (null, $"it ended with {exit.Code?.ToString() ?? $"signal {exit.Signal}"}{(error.Length > 0 ? $": {error}" : "")}")
                    : RouterReply.TryParse(output, out var reply, out var problem) ? (reply, null)
                    : (null, problem);
            }
        }
        catch (ProcessStartException e)
        {
            return (null, e.Message);
        }

        void Collect(ProcessStream stream, string line)
        {
            lock (output)
            {
                if (stream == ProcessStream.Error)
                {
                    error = SafeText.Clean(line);
                }
                else if (output.Count < MostLines)
                {
                    output.Add(line);
                }
            }
        }
    }

    private void Note(RouterReply? reply, string? problem)
    {
        lock (_gate)
        {
            _address = reply is { Address: { } address } ? new PublicAddress(address, AddressSource.Unknown, Instant.Now(time)) : _address;
            if (problem is not null && problem != _told)
            {
                NotUnderstood(log, command[0], problem);
            }

            _told = problem;
        }
    }

    [LoggerMessage(1221, LogLevel.Warning, "uplinks.primary.observe.command {Program} tells nothing: {Problem}. It must print up, down or unknown, then the age in seconds")]
    private static partial void NotUnderstood(ILogger log, string program, string problem);
}
