using System.Collections.Immutable;
using Common;

namespace InternalHost.Pins;

/// <summary>What becomes of a first pin.</summary>
internal enum FirstPinVerdict
{
    Unknown = 0,

    /// <summary>The console names the key that the machine has proven: pin it.</summary>
    Pin = 1,

    /// <summary>The console names none yet: ask again.</summary>
    Wait = 2,

    /// <summary>The console names another: pin nothing, tell both.</summary>
    Mismatch = 3,
}

/// <param name="Key">To be pinned; null: nothing is.</param>
/// <param name="Why">For a person; null: it is pinned.</param>
internal sealed record FirstPinJudgement(FirstPinVerdict Verdict, string? Key, string? Why);

/// <summary>
/// The first pin of a machine: two ways must agree, the provider's console (which the network between cannot change) and the key that the
/// machine proves to hold (which a stranger's text on the console cannot change). Neither is trusted alone.
/// </summary>
[PureCore]
internal static class FirstPin
{
    /// <param name="offered">Proven by its key exchange (<see cref="OfferedHostKey"/>).</param>
    public static FirstPinJudgement Judge(ConsoleKeys console, string offered)
    {
        var fingerprint = HostKey.Fingerprint(offered);
        return console switch
        {
            { Problem: not ConsoleProblem.None } => new(FirstPinVerdict.Wait, null, Say(console.Problem)),
            _ when console.Fingerprints.Contains(fingerprint) => new(FirstPinVerdict.Pin, HostKey.WithoutComment(offered), null),
            { LaterCut: true } => new(FirstPinVerdict.Wait, null, Say(ConsoleProblem.CutOff)),
            _ => new(FirstPinVerdict.Mismatch, null, $"the machine offers {fingerprint}, its console names {string.Join(", ", console.Fingerprints)}: nothing is pinned"),
        };
    }

    public static string Say(ConsoleProblem problem) => problem switch
    {
        ConsoleProblem.Silent => "the console is still empty; it is filled some minutes after the first boot",
        ConsoleProblem.NoBlock => "the console shows no host keys yet; an image without cloud-init never does",
        ConsoleProblem.CutOff => "the host keys on the console are not whole yet",
        ConsoleProblem.Garbled => "the host keys on the console cannot be read",
        _ => "the console names the host keys",
    };
}
