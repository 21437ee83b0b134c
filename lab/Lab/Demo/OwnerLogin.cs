using System.Text.RegularExpressions;
using Common.Processes;

namespace Lab.Demo;

/// <summary>
/// The owner, somewhere else, with a key, a generated client configuration in which both hosts are pinned, and the text message.
/// What the message says is typed as it stands.
/// </summary>
internal sealed partial class OwnerLogin(string clientConfiguration, IProcessLauncher away)
{
    /// <summary>The command in the message, as arguments of ssh; null when there is none.</summary>
    public static IReadOnlyList<string>? CommandIn(string text) =>
        Command().Match(text) is { Success: true } found ? found.Groups["arguments"].Value.Split(' ') : null;

    /// <summary>Logs in through the bastion and runs one command at home.</summary>
    /// <returns>What it printed.</returns>
    /// <exception cref="StepFailedException">Nobody let us in; with ssh's own words.</exception>
    public async Task<string> RunAsync(IReadOnlyList<string> arguments, IReadOnlyList<string> command, CancellationToken ct)
    {
        var spec = new ProcessSpec("ssh", ["-F", clientConfiguration, "-o", "BatchMode=yes", .. arguments, "--", .. command]);
        var result = await away.RunAsync(spec, ct);
        return result.Ok ? result.Output : throw new StepFailedException($"ssh {string.Join(' ', arguments)}: {result.Error}");
    }

    [GeneratedRegex(@"ssh (?<arguments>-J \S+@\S+ -p \d+ \S+@\S+)", RegexOptions.ExplicitCapture, 100)]
    private static partial Regex Command();
}
