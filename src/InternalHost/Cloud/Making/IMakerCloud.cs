namespace InternalHost.Cloud.Making;

/// <summary>
/// Port to a provider as a place where machines are made. Every step may be repeated: what is there already is taken as made. Its
/// failures are <see cref="CloudException"/>s; after one whose end is not known the next look shows what became of it.
/// </summary>
internal interface IMakerCloud
{
    Lifecycle Lifecycle { get; }

    /// <summary>The account of the image that comes in by the key.</summary>
    string FirstAccount { get; }

    /// <summary>What would be made, each in the provider's words.</summary>
    IEnumerable<Thing> Wanted { get; }

    /// <summary>What the credential lacks of all that a making calls; nothing is done. Empty where the provider does not tell.</summary>
    /// <exception cref="CloudException"/>
    Task<IReadOnlyList<string>> MissingRightsAsync(CancellationToken ct);

    /// <param name="everything">Also what a making does not need to know, for a removal.</param>
    /// <exception cref="CloudException"/>
    Task<MakingSight> LookAsync(MakingNotes notes, bool everything, CancellationToken ct);

    /// <summary>Does that step, as far as it comes; what has to be known should we die meanwhile is written down before each call.</summary>
    /// <exception cref="CloudException"/>
    /// <exception cref="MakingException"/>
    Task DoAsync(MakingStep step, MakingSight seen, MakingJournal journal, CancellationToken ct);

    /// <summary>Asks for it to be deleted. One that is gone already is no error.</summary>
    /// <exception cref="CloudException"/>
    Task DeleteAsync(Thing thing, CancellationToken ct);
}
