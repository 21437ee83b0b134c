using Common.Processes;

namespace InternalHost.Cloud.Local;

/// <summary>The program that runs on the VM beside sshd. Where it ends by itself it is started again, as a service manager does.</summary>
internal sealed class LocalAgent(AgentProgram program, string outputFile, IProcessLauncher launcher, TimeProvider time, ProviderLog log) : IAsyncDisposable
{
    private static readonly TimeSpan BetweenStarts = TimeSpan.FromSeconds(2);

    /// <summary>What a machine that is switched off gives its services to end by themselves.</summary>
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(5);

    private CancellationTokenSource? _stopping;
    private Task _running = Task.CompletedTask;

    /// <summary>Written by the child's pipes, one line at a time.</summary>
    private readonly Lock _gate = new();

    public void Start(int launch)
    {
        _stopping = new();
        _running = Task.Run(() => RunAsync(LocalInstance.Name(launch), _stopping.Token));
    }

    public async Task StopAsync()
    {
        if (_stopping is { } stopping)
        {
            await stopping.CancelAsync();
            await _running;
            stopping.Dispose();
            _stopping = null;
        }
    }

    public async ValueTask DisposeAsync() => await StopAsync();

    private async Task RunAsync(string launch, CancellationToken ct)
    {
        while (!ct.IsCancellationRequested)
        {
            try
            {
                await RunOnceAsync(launch, ct);
                await Task.Delay(BetweenStarts, time, ct);
            }
            catch (OperationCanceledException) when (ct.IsCancellationRequested)
            {
                return;
            }
        }
    }

    private async Task RunOnceAsync(string launch, CancellationToken ct)
    {
        try
        {
            await using var child = launcher.Start(
                new ProcessSpec(program.Program, program.Arguments) { Environment = program.Environment }, (_, line) => Append(line));
            await using var stop = ct.Register(() => _ = child.StopAsync(Grace));
            var exit = await child.Exited;
            if (!exit.StoppedByUs)
            {
                log.Write(new(0, "agent_ended", Launch: launch, Detail: $"exit {exit.Code}, signal {exit.Signal}"));
            }
        }
        catch (ProcessStartException e)
        {
            log.Write(new(0, "agent_ended", Launch: launch, Detail: e.Message));
        }
    }

    private void Append(string line)
    {
        lock (_gate)
        {
            File.AppendAllText(outputFile, $"{time.GetUtcNow():yyyy-MM-ddTHH:mm:ss.ffffffzzz} {line}\n");
        }
    }
}
