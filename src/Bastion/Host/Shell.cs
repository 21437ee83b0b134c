using Common.Processes;

namespace Bastion.Host;

/// <summary>Runs the programs of the host that an installation needs, one after the other.</summary>
internal sealed class Shell(IProcessLauncher launcher)
{
    public async Task<ProcessResult> RunAsync(string program, IEnumerable<string> arguments, CancellationToken ct)
    {
        try
        {
            return await launcher.RunAsync(new ProcessSpec(program, [.. arguments]), ct);
        }
        catch (ProcessStartException e)
        {
            return new ProcessResult(new ProcessExit(127, null, false), "", e.Message);
        }
    }

    /// <exception cref="HostException">It failed.</exception>
    public async Task<string> DoAsync(string program, IEnumerable<string> arguments, CancellationToken ct)
    {
        var list = arguments.ToList();
        var result = await RunAsync(program, list, ct);
        return result.Ok ? result.Output : throw new HostException($"{program} {string.Join(' ', list)}: {Words(result)}");
    }

    public static string Words(ProcessResult result) => (result.Error + "\n" + result.Output).Trim() is { Length: > 0 } words ? words : $"exit {result.Exit.Code}";
}

/// <summary>The host cannot be brought to where its settings want it; the text says why, for a person.</summary>
internal sealed class HostException(string message, int exitCode = Common.Hosting.ExitCode.Failed) : Exception(message)
{
    public int ExitCode { get; } = exitCode;
}
