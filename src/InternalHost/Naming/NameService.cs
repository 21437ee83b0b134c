using System.Collections.Immutable;
using System.Net;
using Common;
using Common.Time;
using InternalHost.Cloud;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace InternalHost.Naming;

/// <summary>How the bastion's name stands.</summary>
/// <param name="Addresses">What it should have; null: the VM does not run, and the name is left as it is.</param>
/// <param name="Put">The provider has accepted them.</param>
/// <param name="Seen">And DNS gives them.</param>
/// <param name="Problem">Why not; null: it is so, or not yet known.</param>
internal sealed record NameState(string Name, NameAddresses? Addresses = null, bool Put = false, bool Seen = false, string? Problem = null)
{
    /// <summary>Whether the name leads to the VM: else people are told its address.</summary>
    public bool Leads => Addresses is null || Put;

    /// <summary>In one word.</summary>
    public string State => Addresses is null ? "left" : Seen ? "seen" : Put ? "set" : "wanted";
}

/// <summary>
/// Gives the bastion's name the addresses of the VM that runs, at each start anew, and asks DNS until it says so. Beside the controller: it
/// delays nothing, and remembers nothing, since after a crash what runs is seen and named again. A VM that stops keeps its name: resolvers
/// remember that a name has no address for longer than they remember an old one, and at the old address the pin turns strangers away.
/// </summary>
/// <param name="instance">The VM as it was last seen; null: not yet.</param>
/// <param name="ask">What DNS says of the name now, past any cache of ours.</param>
internal sealed partial class NameService(
    string name, INameRecords records, Func<InstanceSight?> instance, Func<CancellationToken, Task<ImmutableArray<IPAddress>>> ask, TimeProvider time, ILogger<NameService> log)
    : BackgroundService
{
    private static readonly TimeSpan Pace = TimeSpan.FromSeconds(1);
    private static readonly Backoff Again = new(TimeSpan.FromSeconds(4), TimeSpan.FromMinutes(1));
    private static readonly TimeSpan CallLimit = TimeSpan.FromSeconds(75);
    private static readonly TimeSpan AskAgain = TimeSpan.FromSeconds(10);

    /// <summary>Resolvers that asked before have the old answer for a minute, some for longer than they should.</summary>
    private static readonly TimeSpan SeenWithin = TimeSpan.FromMinutes(5);

    private volatile NameState _state = new(name);
    private string? _launch;
    private int _failures;
    private Instant _next;
    private Instant _put;

    public NameState Snapshot => _state;

    /// <summary>What people are told to connect to; null: the address.</summary>
    public string? ForPeople => _state.Leads ? name : null;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                await TurnAsync(stoppingToken);
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
            {
                return;
            }

            await Task.Delay(Pace, time, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    internal async Task TurnAsync(CancellationToken ct)
    {
        Look();
        if (_state.Addresses is null || Instant.Now(time) < _next)
        {
            return;
        }

        if (!_state.Put)
        {
            await PutAsync(_state.Addresses, ct);
        }
        else if (!_state.Seen)
        {
            await AskAsync(_state.Addresses, ct);
        }
    }

    /// <summary>Each start begins anew, even with the addresses of the last one: somebody may have changed the record.</summary>
    private void Look()
    {
        var seen = instance();
        var wanted = seen is { State: InstanceState.Running, Addresses.IsEmpty: false } ? NameAddresses.Of(seen.Addresses) : null;
        if (wanted != _state.Addresses || (wanted is not null && seen!.Launch != _launch))
        {
            _state = new NameState(name, wanted);
            (_launch, _failures, _next) = (seen?.Launch, 0, Instant.Now(time));
        }
    }

    private async Task PutAsync(NameAddresses wanted, CancellationToken ct)
    {
        using var late = new CancellationTokenSource(CallLimit, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(ct, late.Token);
        try
        {
            await records.PutAsync(name, wanted, either.Token);
            (_state, _failures, _put) = (_state with { Put = true, Problem = null }, 0, Instant.Now(time));
            _next = _put;
            Done(log, name, string.Join(", ", wanted.All));
        }
        catch (CloudException e)
        {
            Later(e.Message);
        }
        catch (OperationCanceledException) when (!ct.IsCancellationRequested)
        {
            Later($"no answer within {CallLimit.TotalSeconds:F0} s");
        }
    }

    private void Later(string problem)
    {
        if (_state.Problem != problem)
        {
            Failed(log, name, problem);
        }

        _state = _state with { Problem = problem };
        _next = Instant.Now(time) + Pace + Again.Delay(_failures++, Random.Shared.NextDouble());
    }

    private async Task AskAsync(NameAddresses wanted, CancellationToken ct)
    {
        var said = await ask(ct);
        var now = Instant.Now(time);
        var seen = wanted.All.Any(said.Contains) && said.All(wanted.All.Contains);
        _state = _state with { Seen = seen, Problem = seen || now - _put < SeenWithin ? null : $"DNS says {Words(said)}, not {Words(wanted.All)}: is the zone the one that the world asks?" };
        _next = now + AskAgain;
    }

    private static string Words(IEnumerable<IPAddress> addresses) => string.Join(", ", addresses) is { Length: > 0 } some ? some : "nothing";

    [LoggerMessage(1301, LogLevel.Information, "{Name} is now {Addresses}")]
    private static partial void Done(ILogger log, string name, string addresses);

    [LoggerMessage(1302, LogLevel.Warning, "{Name} is not set; people are told the address instead: {Problem}")]
    private static partial void Failed(ILogger log, string name, string problem);
}
