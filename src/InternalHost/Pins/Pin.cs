using System.Collections.Immutable;
using System.Globalization;
using Common;
using Common.Configuration;

namespace InternalHost.Pins;

/// <summary>From where we know a host key.</summary>
internal enum PinSource
{
    Unknown = 0,

    /// <summary>Written into the file by a person.</summary>
    Hand = 1,

    /// <summary>The provider's console named it, and the machine proved it.</summary>
    Console = 2,

    /// <summary>Made by us for the first contact with a new machine; to be replaced at once.</summary>
    OneTime = 3,

    /// <summary>Came over a connection that was pinned already.</summary>
    Rotation = 4,
}

/// <summary>One host key that we accept.</summary>
/// <param name="Key">Type and key: <c>ssh-ed25519 AAAA...</c></param>
/// <param name="By">Whose account ran the command; null: not known.</param>
/// <param name="At">When; null: not known.</param>
/// <param name="Next">Accepted already, not yet offered by the bastion.</param>
internal sealed record Pin(string Key, PinSource Source, string? By = null, DateTimeOffset? At = null, bool Next = false)
{
    public string Fingerprint => HostKey.Fingerprint(Key);
}

/// <summary>
/// The text of a file of pins: the line of a .pub file for each key, its comment saying who put it there, from what and when.
/// A line with any other comment was written by hand.
/// </summary>
/// <remarks><c>ssh-ed25519 AAAA... pinned:console,by=root,at=2026-11-22T02:33:06Z,next</c></remarks>
[PureCore]
internal static class PinText
{
    private const string Mark = "pinned:";
    private const string NextWord = "next";
    private const string TimeFormat = "yyyy-MM-ddTHH:mm:ssZ";

    private static readonly (string Word, PinSource Source)[] Words =
        [("hand", PinSource.Hand), ("console", PinSource.Console), ("one-time", PinSource.OneTime), ("rotation", PinSource.Rotation)];

    /// <summary>Lines that are no key are left to <see cref="Configuration.SiteFiles"/>, which refuses them.</summary>
    public static ImmutableArray<Pin> Parse(string text) =>
        [.. text.Split('\n').Select(l => l.Trim()).Where(l => l.Length > 0 && l[0] != '#').Select(Line).OfType<Pin>()];

    public static string Render(ImmutableArray<Pin> pins) =>
        "# Host keys of the bastion that are accepted (internalhost pins).\n" + string.Concat(pins.Select(p => $"{p.Key} {Note(p)}\n"));

    public static string Word(PinSource source) => Words.FirstOrDefault(w => w.Source == source).Word ?? "unknown";

    /// <summary>From where and when, for a person: <c>from the console, by root, 2026-11-22</c>.</summary>
    public static string Say(string source, string? by, DateTimeOffset? at)
    {
        var from = source switch
        {
            "console" => "from the console",
            "one-time" => "one-time key, to be replaced",
            "rotation" => "by rotation",
            _ => "by hand",
        };
        return $"{from}{(by is null ? "" : $", by {by}")}{(at is { } day ? day.ToString(", yyyy-MM-dd", CultureInfo.InvariantCulture) : "")}";
    }

    public static string Say(Pin pin) => Say(Word(pin.Source), pin.By, pin.At);

    private static Pin? Line(string line)
    {
        if (PersonalValues.PublicKey(line).Value is not { } key)
        {
            return null;
        }

        var note = line.Split(' ', StringSplitOptions.RemoveEmptyEntries).Skip(2).FirstOrDefault(w => w.StartsWith(Mark, StringComparison.Ordinal));
        var parts = note?[Mark.Length..].Split(',') ?? [];
        return new Pin(
            key,
            parts is [var word, ..] && Words.FirstOrDefault(w => w.Word == word).Source is var source and not PinSource.Unknown ? source : PinSource.Hand,
            Value(parts, "by="),
            DateTimeOffset.TryParseExact(Value(parts, "at="), TimeFormat, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var at) ? at : null,
            parts.Contains(NextWord));
    }

    private static string? Value(string[] parts, string key) => parts.FirstOrDefault(p => p.StartsWith(key, StringComparison.Ordinal))?[key.Length..];

    private static string Note(Pin pin) => Mark + string.Join(',', ((string?[])[
        Word(pin.Source),
        pin.By is { } by ? $"by={new string([.. by.Where(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.')])}" : null,
        pin.At is { } at ? $"at={at.ToUniversalTime().ToString(TimeFormat, CultureInfo.InvariantCulture)}" : null,
        pin.Next ? NextWord : null]).OfType<string>());
}
