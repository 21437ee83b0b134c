using System.Collections.Immutable;
using Common.Processes;
using InternalHost.Configuration;

namespace InternalHost.Tunnel;

/// <summary>Asks a running master for things by its control socket (ssh(1) -O), one request at a time.</summary>
internal sealed class SshControl(IProcessLauncher launcher, BastionOptions bastion, string controlPath, SshLog masterLog, TimeProvider time) : IDisposable
{
    /// <summary>A server's answer queues behind the bulk data of the same connection: 18 s were seen on a 1 Mbit/s uplink.</summary>
    private static readonly TimeSpan AnswerLimit = TimeSpan.FromSeconds(30);

    /// <summary>The master's own line about a refusal comes by another pipe than the client's exit.</summary>
    private static readonly TimeSpan LinePatience = TimeSpan.FromMilliseconds(500);

    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(10);

    private readonly SemaphoreSlim _oneAtATime = new(1);

    /// <summary>Null: the server listens.</summary>
    public async Task<TunnelReason?> ForwardAsync(RemoteForward forward, CancellationToken ct)
    {
        await _oneAtATime.WaitAsync(ct);
        try
        {
            var mark = masterLog.Mark;
            var answer = await RunAsync(SshCommandLine.Forward(bastion, controlPath, forward), ct);
            if (answer is null)
            {
                return TunnelReason.Timeout;
            }

            return answer.Ok
                ? null
                : SshStderr.ForwardRefusal(await MasterLinesAsync(mark, forward.BastionPort, ct), answer.Error.Split('\n'));
        }
        finally
        {
            _oneAtATime.Release();
        }
    }

    public async Task CancelAsync(RemoteForward forward, CancellationToken ct) =>
        await AskAsync(SshCommandLine.Cancel(bastion, controlPath, forward), ct);

    /// <exception cref="IOException">The master does not do it.</exception>
    public async Task OpenDirectAsync(string socketPath, int port, CancellationToken ct)
    {
        var answer = await AskAsync(SshCommandLine.Direct(bastion, controlPath, socketPath, port), ct);
        if (answer is not { Ok: true })
        {
            throw new IOException($"no way to port {port} of the bastion: {SshStderr.Sanitise(answer?.Error ?? "ssh did not answer")}");
        }
    }

    public void Dispose() => _oneAtATime.Dispose();

    private async Task<ProcessResult?> AskAsync(ImmutableArray<string> arguments, CancellationToken ct)
    {
        await _oneAtATime.WaitAsync(ct);
        try
        {
            return await RunAsync(arguments, ct);
        }
        finally
        {
            _oneAtATime.Release();
        }
    }

    private async Task<ProcessResult?> RunAsync(ImmutableArray<string> arguments, CancellationToken ct)
    {
        using var limit = new CancellationTokenSource(AnswerLimit, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, ct);
        try
        {
            return await launcher.RunAsync(new("ssh", arguments), either.Token);
        }
        catch (OperationCanceledException) when (!ct.IsCancellationRequested)
        {
            return null;
        }
        catch (ProcessStartException e)
        {
            return new ProcessResult(new(127, null, false), "", e.Message);
        }
    }

    private async Task<IReadOnlyList<string>> MasterLinesAsync(long mark, int port, CancellationToken ct)
    {
        var started = time.GetTimestamp();
        while (true)
        {
            var lines = masterLog.Since(mark);
            if (lines.Any(line => line.EndsWith($"forwarding failed for listen port {port}", StringComparison.Ordinal))
                || time.GetElapsedTime(started) > LinePatience)
            {
                return lines;
            }

            await Task.Delay(Look, time, ct);
        }
    }
}
