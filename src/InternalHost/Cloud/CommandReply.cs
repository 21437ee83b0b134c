using System.Collections.Immutable;
using System.Net;
using System.Text.Json;
using System.Text.Json.Serialization;
using Common;
using Common.Processes;

namespace InternalHost.Cloud;

/// <summary>What the owner's commands of provider <c>command</c> say.</summary>
[PureCore]
internal static class CommandReply
{
    /// <exception cref="CloudException">Not one JSON object with a known state.</exception>
    public static InstanceSight Parse(string output)
    {
        try
        {
            var reply = JsonSerializer.Deserialize(output, CommandReplyJson.Default.DescribeOutput);
            return reply is { State: { } word } && StateOf(word) is { } state
                ? new(reply.Id, state, Addresses(reply.Addresses), reply.StoppedByOwner, reply.LaunchId)
                : throw Bad($"state \"{reply?.State}\" is none of absent, stopped, pending, running, stopping");
        }
        catch (JsonException e)
        {
            throw Bad(e.Message, e);
        }
    }

    /// <summary>By the statuses of sysexits.h: a command that wants to be understood ends with one of them.</summary>
    public static CloudFailure FailureOf(ProcessExit exit) => exit.Code switch
    {
        68 => CloudFailure.NotFound,      // EX_NOHOST
        69 => CloudFailure.Unreachable,   // EX_UNAVAILABLE
        73 => CloudFailure.Capacity,      // EX_CANTCREAT
        75 => CloudFailure.Transient,     // EX_TEMPFAIL
        77 => CloudFailure.Denied,        // EX_NOPERM
        _ => CloudFailure.Unknown,
    };

    /// <summary>How it ended, and its last words.</summary>
    public static string Told(ProcessResult result)
    {
        const int longest = 200;
        var last = result.Error.Split('\n', StringSplitOptions.RemoveEmptyEntries).LastOrDefault() ?? "nothing";
        var how = result.Exit.Code is { } code ? $"ended with {code}" : $"was ended by signal {result.Exit.Signal}";
        return $"{how}; it said: {(last.Length > longest ? last[..longest] : last)}";
    }

    private static ImmutableArray<IPAddress> Addresses(IReadOnlyList<string>? texts) =>
        [.. (texts ?? []).Select(t => IPAddress.TryParse(t, out var a) ? a : throw Bad($"\"{t}\" is no address"))];

    private static InstanceState? StateOf(string word) => word switch
    {
        "absent" => InstanceState.Absent,
        "stopped" => InstanceState.Stopped,
        "pending" => InstanceState.Pending,
        "running" => InstanceState.Running,
        "stopping" => InstanceState.Stopping,
        _ => null,
    };

    private static CloudException Bad(string why, Exception? inner = null) =>
        new(CloudFailure.Unknown, $"the describe command must print one JSON object (state, addresses, id): {why}", inner);
}

internal sealed record DescribeOutput(string? State, IReadOnlyList<string>? Addresses, string? Id, bool StoppedByOwner, string? LaunchId);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(DescribeOutput))]
internal sealed partial class CommandReplyJson : JsonSerializerContext;
