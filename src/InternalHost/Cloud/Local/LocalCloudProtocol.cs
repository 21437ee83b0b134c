using System.Net;
using System.Text.Json;

namespace InternalHost.Cloud.Local;

/// <summary>
/// The API of a local cloud: one JSON object a line each way over a Unix socket. describe, start and stop are the provider's, and go wrong as the
/// modes say; the others are for whoever plays the provider, and never do.
/// </summary>
/// <param name="Op">describe, start, stop; owner-start, owner-stop, self-stop, move, set-mode, log, quit.</param>
/// <param name="Modes">set-mode: what is to change.</param>
internal sealed record LocalCloudRequest(string Op, JsonElement? Modes = null);

/// <param name="Failure">Name of the <see cref="CloudFailure"/>.</param>
/// <param name="Log">log: the provider's log so far.</param>
internal sealed record LocalCloudReply(
    bool Ok, string? Failure = null, string? Error = null, InstanceOnWire? Instance = null, IReadOnlyList<ProviderLogEntry>? Log = null)
{
    public static LocalCloudReply Failed(CloudFailure failure, string error) => new(false, failure.ToString(), error);

    /// <exception cref="CloudException">The provider refused.</exception>
    public LocalCloudReply OrThrow() => Ok
        ? this
        : throw new CloudException(Enum.TryParse<CloudFailure>(Failure, out var failure) ? failure : CloudFailure.Unknown, Error ?? "the local cloud gives no reason");
}

internal sealed record InstanceOnWire(string? Id, string State, IReadOnlyList<string> Addresses, bool StoppedByOwner, string? LaunchId)
{
    public static InstanceOnWire From(InstanceSight seen) =>
        new(seen.Id, seen.State.ToString(), [.. seen.Addresses.Select(a => a.ToString())], seen.StoppedByOwner, seen.LaunchId);

    /// <exception cref="FormatException">Not ours.</exception>
    public InstanceSight ToSight() => new(
        Id, Enum.TryParse<InstanceState>(State, out var state) ? state : InstanceState.Unknown,
        [.. Addresses.Select(IPAddress.Parse)], StoppedByOwner, LaunchId);
}
