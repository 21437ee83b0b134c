using System.Collections.Immutable;
using Common.Processes;
using InternalHost.Cloud;

namespace InternalHost.Naming;

/// <summary>
/// Provider <c>command</c>: the owner's own program, given the name and its addresses as arguments: <c>home.example.net 203.0.113.7 2001:db8::7</c>.
/// It makes the A and AAAA records exactly these; its exit status says what went wrong (<see cref="CommandReply.FailureOf"/>).
/// </summary>
internal sealed class CommandNames(ImmutableArray<string> command, IProcessLauncher launcher, TimeProvider time) : INameRecords
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    public async Task PutAsync(string name, NameAddresses addresses, CancellationToken ct)
    {
        using var timeout = new CancellationTokenSource(Limit, time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(ct, timeout.Token);
        try
        {
            var result = await launcher.RunAsync(new ProcessSpec(command[0], [.. command.Skip(1), name, .. addresses.All.Select(a => $"{a}")]), both.Token);
            if (!result.Ok)
            {
                throw new CloudException(CommandReply.FailureOf(result.Exit), $"the dns command {CommandReply.Told(result)}");
            }
        }
        catch (OperationCanceledException e) when (!ct.IsCancellationRequested)
        {
            throw new CloudException(CloudFailure.LostReply, $"the dns command did not end in {Limit.TotalSeconds} s and was stopped", e);
        }
        catch (ProcessStartException e)
        {
            throw new CloudException(CloudFailure.Unknown, $"the dns command cannot be run: {e.Message}", e);
        }
    }
}
