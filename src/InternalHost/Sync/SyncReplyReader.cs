using System.Text.Json;
using Common;
using Common.Sync;
using InternalHost.Tunnel;

namespace InternalHost.Sync;

/// <summary>What came out of one ssh to the bastion's <c>sync</c>, judged.</summary>
[PureCore]
internal static class SyncReplyReader
{
    /// <param name="line">The first line of its output; null: there was none.</param>
    /// <param name="number">Of the bundle that was pushed.</param>
    public static SyncAnswer Judge(string? line, long number)
    {
        if (Parse(line) is not { } reply)
        {
            return SyncAnswer.Not(SyncFailure.Garbled, $"the answer is no answer of a bastion: {SshStderr.Sanitise(line ?? "")}");
        }

        return reply.Ok
            ? new SyncAnswer(true, reply.Number ?? number, null)
            : new SyncAnswer(false, reply.Number, new(SyncAnswer.Meaning(reply.Refusal), SshStderr.Sanitise(reply.Error ?? reply.Refusal ?? "no reason given")));
    }

    /// <summary>No line came: ssh's own words tell why.</summary>
    public static SyncAnswer Judge(IReadOnlyList<string> log, int? exitCode, SshPhase phase)
    {
        var failure = SshStderr.Classify(log, exitCode, phase >= SshPhase.Authenticated ? SshPhase.Connected : phase);
        return SyncAnswer.Not(
            phase >= SshPhase.Authenticated ? SyncFailure.NoAnswer : failure.Reason switch
            {
                TunnelReason.Denied => SyncFailure.Denied,
                TunnelReason.HostKeyChanged => SyncFailure.HostKeyChanged,
                _ => SyncFailure.Unreachable,
            },
            failure.Detail);
    }

    private static SyncReply? Parse(string? line)
    {
        try
        {
            return line is null ? null : JsonSerializer.Deserialize(line, BundleJson.Default.SyncReply);
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
