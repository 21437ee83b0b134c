namespace Lab.Clouds;

/// <summary>What a request to a provider's stand-in meets instead of its answer.</summary>
public abstract record CloudTrouble
{
    /// <summary>An error of the provider's own; nothing is done.</summary>
    public sealed record Error(string Code, int Status = 400, string Message = "refused by the lab", TimeSpan? RetryAfter = null) : CloudTrouble;

    /// <summary>The connection is cut; nothing is done.</summary>
    public sealed record LoseRequest : CloudTrouble;

    /// <summary>It is done, and the connection is cut before a byte of the answer.</summary>
    public sealed record LoseReply : CloudTrouble;

    /// <summary>It is done, and the connection is cut in the middle of the answer.</summary>
    public sealed record HalfReply : CloudTrouble;

    /// <summary>It is done, and answered so much later.</summary>
    public sealed record Slow(TimeSpan By) : CloudTrouble;

    /// <summary>Somebody else answers: a portal's page.</summary>
    public sealed record Page(int Status = 200, string? Location = null) : CloudTrouble;
}
