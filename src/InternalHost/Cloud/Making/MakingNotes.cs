using System.Collections.Immutable;
using System.Text.Json.Serialization;

namespace InternalHost.Cloud.Making;

/// <summary>How one machine was asked for. Written down before the call: asked again with the same words, it makes no second one.</summary>
/// <param name="Token">Never used for anything else.</param>
/// <param name="Firewall">The provider's id of it.</param>
internal sealed record MakingAttempt(string Token, string Size, string Image, string RootDevice, string Key, string Firewall);

internal enum CredentialNote
{
    Unknown = 0,

    /// <summary>Made, and written into the file of <c>bastion.secret</c>.</summary>
    Made = 1,

    /// <summary>The owner makes it: we may not, or it is not ours to make.</summary>
    ByOwner = 2,
}

/// <summary>What a making remembers of itself. No secret is in it.</summary>
/// <param name="Provider"><c>ec2</c> or <c>digitalocean</c>.</param>
internal sealed record MakingNotes(string Provider, string Site, string Region)
{
    public const int CurrentFormat = 1;

    public int Format { get; init; } = CurrentFormat;

    public MakingAttempt? Attempt { get; init; }

    public string? MachineId { get; init; }

    /// <summary>Public host keys that a machine was given for its first contact only; any of them may be the one in use.</summary>
    public ImmutableArray<string> OneTimeKeys { get; init; } = [];

    /// <summary>The host key that takes the place of the one for the first contact.</summary>
    public string? NextHostKey { get; init; }

    /// <summary><c>ssh-ed25519 AAAA...</c>; empty: not known yet.</summary>
    public ImmutableArray<string> HostKeys { get; init; } = [];

    public bool Installed { get; init; }

    public bool Pinned { get; init; }

    public CredentialNote Credential { get; init; }

    /// <summary>Written down before it is asked for.</summary>
    public string? SnapshotName { get; init; }

    public DateTimeOffset? FinishedAt { get; init; }

    /// <summary>A removal was begun.</summary>
    public bool Removing { get; init; }

    /// <summary>Another machine: what was done on the last one does not count for it.</summary>
    public MakingNotes On(string machine) => machine == MachineId ? this : this with
    {
        MachineId = machine,
        NextHostKey = null,
        HostKeys = [],
        Installed = false,
        Pinned = false,
        SnapshotName = null,
        FinishedAt = null,
    };

    /// <summary>As if no machine had ever been asked for.</summary>
    public MakingNotes WithoutMachine() => On("") with { MachineId = null, Attempt = null, OneTimeKeys = [] };
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull, UseStringEnumConverter = true, WriteIndented = true)]
[JsonSerializable(typeof(MakingNotes))]
internal sealed partial class MakingJson : JsonSerializerContext;
