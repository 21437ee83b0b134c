using System.Text.Json.Serialization;

namespace Common.Sync;

/// <summary>
/// All that a bastion knows about a site's people, pushed by the inside at each start, before anybody can come in: a VM that slept since March
/// must not keep March's keys. One JSON object (snake_case), signed as it stands by the site's key (<see cref="SignedBundle"/>).
/// Version N speaks with N-1: what is not known is ignored, what is missing has the meaning of its default; <see cref="Format"/> changes only
/// where that is not enough. (The generated serializer sets every init property, those that are missing to null: hence <c>field ?? []</c>.)
/// </summary>
/// <param name="Format">Of this text: <see cref="CurrentFormat"/>.</param>
/// <param name="Site">The label: the bundle counts for this site alone, and must be signed by its key.</param>
/// <param name="Number">Each one higher than the last; one that is not is refused as old, with the number in force, so that the inside can go past it.</param>
public sealed record Bundle(int Format, string Site, long Number)
{
    public const int CurrentFormat = 1;

    /// <summary>UTF-8 bytes; more is not read.</summary>
    public const int LongestBytes = 1 << 20;

    /// <summary>The VM's name in the provider's app, for messages.</summary>
    public string? Vm { get; init; }

    public IReadOnlyList<BundlePerson> People { get => field ?? []; init; }

    public IReadOnlyList<BundleService> Services { get => field ?? []; init; }

    /// <summary>Where the site's uplinks are seen from, CIDR: a site's login from elsewhere is told.</summary>
    public IReadOnlyList<string> Networks { get => field ?? []; init; }

    /// <summary>IANA name, for quiet hours.</summary>
    public string? TimeZone { get; init; }

    /// <summary>Minutes without tunnel and session after which the VM switches itself off; null: never.</summary>
    public double? DeadManMinutes { get; init; }

    public BundleMessages? Messages { get; init; }

    /// <summary>Logins that are not pushed (never: not recorded).</summary>
    public IReadOnlyList<BundleAllow> Allow { get => field ?? []; init; }

    /// <summary>By the name that <see cref="Messages"/> uses. Kept in RAM only, never logged.</summary>
    public IReadOnlyDictionary<string, string> Secrets { get => field ?? new Dictionary<string, string>(StringComparer.Ordinal); init; }
}

/// <param name="Name">Of the account: 1-11 of [a-z0-9-].</param>
/// <param name="Ports">Loopback ports of the site's block that this person may jump to.</param>
public sealed record BundlePerson(string Name, IReadOnlyList<int> Ports, IReadOnlyList<BundleDevice> Devices)
{
    /// <summary>E.164; null: is told nothing by SMS.</summary>
    public string? Text { get; init; }

    /// <summary>A Telegram chat of this person's own.</summary>
    public string? Telegram { get; init; }
}

/// <param name="Key">A public key as in authorized_keys, without options: <c>ssh-ed25519 AAAA...</c>.</param>
public sealed record BundleDevice(string Name, string Key);

/// <param name="Port">The bastion's loopback port that reaches it.</param>
public sealed record BundleService(string Name, int Port);

/// <summary>How people are told: the inside's <c>messages</c>, by the same names. Each secret by its name in <see cref="Bundle.Secrets"/>.</summary>
public sealed record BundleMessages
{
    /// <summary>Channels, the first one tried first; empty: the usual order.</summary>
    public IReadOnlyList<string> Order { get => field ?? []; init; }

    public string? Quiet { get; init; }

    /// <summary>By channel (sms, telegram, webhook, mail): its settings, key to value; a list is joined by commas.</summary>
    public IReadOnlyDictionary<string, IReadOnlyDictionary<string, string>> Channels
    {
        get => field ?? new Dictionary<string, IReadOnlyDictionary<string, string>>(StringComparer.Ordinal);
        init;
    }
}

/// <param name="Network">CIDR, of public addresses.</param>
/// <param name="Fingerprint">As <c>ssh-keygen -l</c> prints it.</param>
/// <param name="Until">The last moment it holds, ISO 8601 UTC.</param>
public sealed record BundleAllow(string Network, string User, string Fingerprint, string Until)
{
    public string? Reason { get; init; }
}

/// <summary>The bastion's answer, one JSON object a line on the forced command's output.</summary>
/// <param name="Ok">The bundle is in force. False: nothing was changed.</param>
/// <param name="Refusal">Why not, one of <see cref="SyncRefusal"/>'s words.</param>
/// <param name="Error">The same for people.</param>
public sealed record SyncReply(bool Ok, string? Refusal = null, string? Error = null)
{
    /// <summary>Of the bundle in force for this site now; null: there is none.</summary>
    public long? Number { get; init; }

    /// <summary>Formats that this bastion reads.</summary>
    public IReadOnlyList<int> Formats { get => field ?? []; init; }

    /// <summary>The program's, for messages.</summary>
    public string? Version { get; init; }
}

/// <summary>Words of the protocol: a reader takes one that it does not know for <see cref="Failed"/>.</summary>
public static class SyncRefusal
{
    /// <summary>Cut, too long, not JSON, or without a signature.</summary>
    public const string Broken = "broken";

    /// <summary>Not signed by the key of the site that it names, or of a site that this bastion does not know.</summary>
    public const string NotSigned = "not-signed";

    /// <summary>Its number is not above the one in force.</summary>
    public const string Old = "old";

    /// <summary>A format of the future.</summary>
    public const string Format = "format";

    /// <summary>Signed, and not acceptable: a port outside the block, a name that is no account's, a key that sshd would not take.</summary>
    public const string Invalid = "invalid";

    /// <summary>The bastion could not put it in force; what was in force still is. Try again.</summary>
    public const string Failed = "failed";
}

/// <summary>What must be there and is not, is null, or stands there twice, is no bundle: nobody has to wonder which of two values counts.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    RespectNullableAnnotations = true,
    RespectRequiredConstructorParameters = true,
    AllowDuplicateProperties = false)]
[JsonSerializable(typeof(Bundle))]
[JsonSerializable(typeof(SyncReply))]
public sealed partial class BundleJson : JsonSerializerContext;
