using System.Globalization;
using System.Net;
using Common;
using InternalHost.Wan.Detection;

namespace InternalHost.Wan.Observing;

/// <summary>
/// What the router's command printed: <c>up|down|unknown [age_s [address]]</c>, such as <c>up 3 203.0.113.7</c>.
/// </summary>
/// <param name="State">Answered = up, Refuted = down, Lost = it does not know.</param>
/// <param name="Age">How old that knowledge is; zero where it does not say.</param>
/// <param name="Address">The primary's public address, where it says one.</param>
[PureCore]
internal readonly record struct RouterReply(ProbeOutcome State, TimeSpan Age, IPAddress? Address)
{
    /// <summary>Older knowledge is none.</summary>
    private static readonly TimeSpan MaxAge = TimeSpan.FromSeconds(30);

    private const int LongestLine = 200;

    /// <summary>As a witness: too old counts as not known.</summary>
    public ProbeOutcome Outcome => Age <= MaxAge ? State : ProbeOutcome.Lost;

    /// <param name="lines">What it wrote to its standard output; empty lines do not count.</param>
    /// <param name="problem">What is wrong with it, for a person; null: nothing.</param>
    public static bool TryParse(IReadOnlyCollection<string> lines, out RouterReply reply, out string? problem)
    {
        reply = default;
        var said = lines.Where(l => !string.IsNullOrWhiteSpace(l)).ToList();
        problem = said.Count switch
        {
            0 => "it printed nothing",
            1 => said[0].Length > LongestLine ? "its line is too long" : null,
            _ => "it printed more than one line",
        };
        return problem is null && TryWords(said[0].Split([' ', '\t'], StringSplitOptions.RemoveEmptyEntries), out reply, out problem);
    }

    private static bool TryWords(string[] words, out RouterReply reply, out string? problem)
    {
        ProbeOutcome? state = words[0] switch
        {
            "up" => ProbeOutcome.Answered,
            "down" => ProbeOutcome.Refuted,
            "unknown" => ProbeOutcome.Lost,
            _ => null,
        };
        var age = 0.0;
        IPAddress? address = null;
        problem = state is null ? "its first word is not up, down or unknown"
            : words.Length > 1 && !(double.TryParse(words[1], NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out age) && age < 1e9) ? "its second word is not an age in seconds"
            : words.Length > 2 && !IPAddress.TryParse(words[2], out address) ? "its third word is not an address"
            : words.Length > 3 ? "it printed more than three words"
            : null;
        reply = problem is null ? new RouterReply(state!.Value, TimeSpan.FromSeconds(age), address) : default;
        return problem is null;
    }
}
