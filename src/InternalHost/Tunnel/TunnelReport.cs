using System.Collections.Immutable;

namespace InternalHost.Tunnel;

/// <summary>Puts the snapshot together from what the loop has decided and what the run holds.</summary>
internal static class TunnelReport
{
    public static TunnelSnapshot Of(TunnelState state, TunnelRun? run, IReadOnlyList<RemoteForward> services, TargetWatch targets)
    {
        var connection = run?.Connection;
        var up = state as TunnelState.Up;
        return new(
            State: state.GetType().Name,
            Run: state.Run,
            Since: state.Since,
            Verified: up?.Proven,
            Last: (state as TunnelState.Wanting)?.Memory.Last,
            Busy: up?.Watch.Busy ?? false,
            Remote: run?.Remote,
            Banner: run?.Banner,
            BytesReceived: connection?.BytesReceived ?? 0,
            BytesSent: connection?.BytesSent ?? 0,
            NextTry: (state as TunnelState.BackingOff)?.Until,
            Forwards: Forwards(run?.Keeper?.Snapshot, services, targets));
    }

    private static ImmutableArray<ForwardStatus> Forwards(ForwardBook? book, IReadOnlyList<RemoteForward> services, TargetWatch targets) =>
        [.. services.Select(service =>
        {
            var entry = book?.Entries.Find(entry => entry.Forward == service);
            return new ForwardStatus(
                service.Name, service.BastionPort, service.Target, entry?.State == ForwardState.Listening, entry?.Reason, !targets.IsUp(service.Target));
        })];
}
