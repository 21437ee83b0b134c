using System.Collections.Immutable;
using System.Globalization;
using System.Net;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace InternalHost.Cloud.Local;

/// <summary>JSON to <see cref="LocalCloudSettings"/> and, for changes while it runs, to <see cref="LocalCloudModes"/>.</summary>
internal static partial class LocalCloudSettingsReader
{
    public static readonly ImmutableArray<string> Operations = ["describe", "start", "stop"];

    private const int MostTimes = 1_000_000;

    private static readonly Dictionary<string, BootPortMode> BootPorts = new(StringComparer.Ordinal)
    {
        ["refuse"] = BootPortMode.Refuse,
        ["drop"] = BootPortMode.Drop,
        ["silent"] = BootPortMode.Silent,
    };

    private static readonly Dictionary<string, RestartOnce> Restarts = new(StringComparer.Ordinal)
    {
        ["no"] = RestartOnce.No,
        ["after_banner"] = RestartOnce.AfterBanner,
        ["after_login"] = RestartOnce.AfterLogin,
    };

    private static readonly Dictionary<string, CloudFailure> Failures = new(StringComparer.Ordinal)
    {
        ["denied"] = CloudFailure.Denied,
        ["transient"] = CloudFailure.Transient,
        ["capacity"] = CloudFailure.Capacity,
    };

    private static readonly JsonDocumentOptions Lenient = new() { CommentHandling = JsonCommentHandling.Skip, AllowTrailingCommas = true };

    /// <param name="directory">Of the cloud; a relative folder lies below it.</param>
    /// <exception cref="LocalCloudSettingsException"/>
    public static LocalCloudSettings Read(string json, string directory)
    {
        using var document = Parse(json);
        var mistakes = new List<string>();
        var root = new JsonSection(document.RootElement, "", mistakes);
        var settings = new LocalCloudSettings(
            Tag(root),
            NotEmpty(root, "addresses", root.List("addresses", Address, "a loopback address (127.x.y.z or ::1) is wanted")),
            [.. NotEmpty(root, "ports", root.List("ports", Port, "a port between 1 and 65535 is wanted")).Select(p => int.Parse(p, CultureInfo.InvariantCulture))],
            root.List("authorized_keys", Line, "one line of authorized_keys is wanted"),
            Path.GetFullPath(root.Text("folder", "sshd"), directory),
            root.List("sshd_config", Line, "one line of sshd_config is wanted"),
            root.Section("agent") is { } agent ? Agent(agent) : null,
            root.Section("modes") is { } modes ? Modes(modes, new LocalCloudModes()) : new LocalCloudModes());
        settings = settings with { Announced = Announced(root, settings.Addresses) };
        root.End();
        return mistakes.Count == 0 ? settings : throw new LocalCloudSettingsException(mistakes);
    }

    /// <summary>What is not named stays as it is.</summary>
    /// <exception cref="LocalCloudSettingsException"/>
    public static LocalCloudModes ReadModes(JsonElement changes, LocalCloudModes now)
    {
        var mistakes = new List<string>();
        var modes = Modes(new JsonSection(changes, "modes", mistakes), now);
        return mistakes.Count == 0 ? modes : throw new LocalCloudSettingsException(mistakes);
    }

    private static LocalCloudModes Modes(JsonSection s, LocalCloudModes now)
    {
        var modes = new LocalCloudModes
        {
            Pending = s.Seconds("pending_seconds", now.Pending),
            Boot = s.Seconds("boot_seconds", now.Boot),
            BootPort = s.Choice("boot_port", now.BootPort, BootPorts),
            RestartOnce = s.Choice("restart_once", now.RestartOnce, Restarts),
            Restart = s.Seconds("restart_seconds", now.Restart),
            AddressLate = s.Seconds("address_late_seconds", now.AddressLate),
            AddressChanges = s.Flag("address_changes", now.AddressChanges),
            Stop = s.Seconds("stop_seconds", now.Stop),
            StopsItselfAfter = s.SecondsOrNone("stops_itself_after_seconds", now.StopsItselfAfter),
            Reply = s.Seconds("reply_seconds", now.Reply),
            FailCalls = s.Section("fail_calls") is { } fails ? FailingCalls(fails) : now.FailCalls,
            LoseReplies = s.Section("lose_replies") is { } losses ? LostReplies(losses) : now.LoseReplies,
        };
        s.End();
        return modes;
    }

    private static ImmutableDictionary<string, FailingCalls> FailingCalls(JsonSection s)
    {
        var calls = ImmutableDictionary<string, FailingCalls>.Empty;
        foreach (var op in Operations)
        {
            if (s.Section(op) is { } fail)
            {
                calls = calls.Add(op, new(fail.Count("times", 1, MostTimes), fail.Choice("failure", CloudFailure.Transient, Failures)));
                fail.End();
            }
        }

        s.End();
        return calls;
    }

    private static ImmutableDictionary<string, int> LostReplies(JsonSection s)
    {
        var losses = Operations.ToImmutableDictionary(op => op, op => s.Count(op, 0, MostTimes));
        s.End();
        return losses;
    }

    private static AgentProgram Agent(JsonSection s)
    {
        var agent = new AgentProgram(
            s.Required("program") ?? "",
            s.List("arguments", e => e.ValueKind == JsonValueKind.String ? e.GetString() : null, "a text is wanted"),
            s.Section("environment") is { } environment
                ? environment.Keys.ToArray().ToImmutableDictionary(k => k, k => environment.Text(k, ""))
                : ImmutableDictionary<string, string>.Empty);
        s.End();
        return agent;
    }

    private static string Tag(JsonSection root)
    {
        var tag = root.Required("tag");
        if (tag is not null && !TagPattern().IsMatch(tag))
        {
            root.Mistake("tag", $"\"{tag}\": 1-12 of a-z, 0-9 and - are wanted");
        }

        return tag ?? "";
    }

    private static ImmutableArray<ImmutableArray<IPAddress>> Announced(JsonSection root, ImmutableArray<IPAddress> addresses)
    {
        var announced = root.List("announced", AnyAddresses, "an address is wanted, or a list of them");
        if (announced.Length > 0 && announced.Length != addresses.Length)
        {
            root.Mistake("announced", $"one for each of the {addresses.Length} addresses is wanted");
        }

        return announced.Length == addresses.Length ? [.. announced.Select(a => a.ToImmutableArray())] : [.. addresses.Select(a => ImmutableArray.Create(a))];
    }

    private static ImmutableArray<T> NotEmpty<T>(JsonSection s, string key, ImmutableArray<T> list)
    {
        if (list.IsEmpty)
        {
            s.Mistake(key, "at least one is wanted");
        }

        return list;
    }

    private static IPAddress? Address(JsonElement e) =>
        e.ValueKind == JsonValueKind.String && IPAddress.TryParse(e.GetString(), out var address) && IPAddress.IsLoopback(address) ? address : null;

    private static IPAddress? AnyAddress(JsonElement e) =>
        e.ValueKind == JsonValueKind.String && IPAddress.TryParse(e.GetString(), out var address) ? address : null;

    private static IPAddress[]? AnyAddresses(JsonElement e)
    {
        IPAddress?[] all = e.ValueKind == JsonValueKind.Array ? [.. e.EnumerateArray().Select(AnyAddress)] : [AnyAddress(e)];
        return all.Length > 0 && !all.Contains(null) ? [.. all.OfType<IPAddress>()] : null;
    }

    private static string? Port(JsonElement e) =>
        e.ValueKind == JsonValueKind.Number && e.TryGetInt32(out var port) && port is > 0 and < 65536 ? $"{port}" : null;

    private static string? Line(JsonElement e) =>
        e.ValueKind == JsonValueKind.String && e.GetString() is { Length: > 0 } line && !line.AsSpan().ContainsAny("\r\n\0") ? line : null;

    private static JsonDocument Parse(string json)
    {
        try
        {
            return JsonDocument.Parse(json, Lenient);
        }
        catch (JsonException e)
        {
            throw new LocalCloudSettingsException([$"not JSON: {e.Message}"], e);
        }
    }

    [GeneratedRegex("^[a-z0-9-]{1,12}$", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture, 100)]
    private static partial Regex TagPattern();
}
