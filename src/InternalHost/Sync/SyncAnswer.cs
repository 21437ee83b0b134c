using Common.Sync;

namespace InternalHost.Sync;

/// <summary>Why the bastion is not up to date. Stored and shown: numbers are fixed.</summary>
internal enum SyncFailure
{
    Unknown = 0,

    /// <summary>No connection, or it ended before the login.</summary>
    Unreachable = 1,

    /// <summary>No such account there (a bastion of an older version), or our key is not taken.</summary>
    Denied = 2,
    HostKeyChanged = 3,

    /// <summary>Logged in, and no answer came.</summary>
    NoAnswer = 4,

    /// <summary>An answer that is none.</summary>
    Garbled = 5,

    /// <summary>Our own key could not sign.</summary>
    NotSignedHere = 6,

    /// <summary>More than a bundle may hold.</summary>
    TooLong = 7,

    /// <summary>Pushed without a channel, because its secret cannot be read here.</summary>
    SecretMissing = 8,

    // The bastion's own words.
    Broken = 11,
    NotSigned = 12,
    Old = 13,
    Format = 14,
    Invalid = 15,
    Failed = 16,
}

/// <param name="Detail">The bastion's or ssh's words, sanitised.</param>
internal sealed record SyncProblem(SyncFailure Failure, string Detail)
{
    /// <summary>May be over at the next try: told only when it was not.</summary>
    public bool MayPass => Failure is SyncFailure.Unknown or SyncFailure.Unreachable or SyncFailure.NoAnswer or SyncFailure.Garbled or SyncFailure.Broken or SyncFailure.Failed;
}

/// <summary>What became of one push.</summary>
/// <param name="InForce">Number of the bundle that is in force now; null: not known, or none.</param>
/// <param name="Problem">Null: ours is, whole.</param>
internal sealed record SyncAnswer(bool Accepted, long? InForce, SyncProblem? Problem)
{
    public static SyncAnswer Not(SyncFailure failure, string detail) => new(false, null, new(failure, detail));

    /// <summary>The bastion's word for why not.</summary>
    public static SyncFailure Meaning(string? refusal) => refusal switch
    {
        SyncRefusal.Broken => SyncFailure.Broken,
        SyncRefusal.NotSigned => SyncFailure.NotSigned,
        SyncRefusal.Old => SyncFailure.Old,
        SyncRefusal.Format => SyncFailure.Format,
        SyncRefusal.Invalid => SyncFailure.Invalid,
        _ => SyncFailure.Failed,
    };
}
