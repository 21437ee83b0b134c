namespace InternalHost.Cloud.DigitalOcean;

/// <summary>Any failure of a call to DigitalOcean, cancellation apart.</summary>
/// <param name="status">HTTP status; 0 without an answer.</param>
/// <param name="id">DigitalOcean's short word for it; empty unless it answered.</param>
/// <param name="requestId">What its support asks for.</param>
internal sealed class DigitalOceanException(CallFault fault, int status, string id, string message, string? requestId = null, Exception? inner = null) : Exception(message, inner)
{
    public CallFault Fault { get; } = fault;

    public int Status { get; } = status;

    public string Id { get; } = id;

    public string? RequestId { get; } = requestId;

    /// <summary>As it asked, where it asks to slow down.</summary>
    public TimeSpan? RetryAfter { get; init; }

    public bool IsNotFound => Fault == CallFault.Refused && Status == 404;
}
