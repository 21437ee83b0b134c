namespace InternalHost.Cloud.Ec2;

/// <summary>Any failure of a call to EC2, cancellation apart.</summary>
/// <param name="code">EC2's own error code; empty unless it answered.</param>
/// <param name="status">HTTP status; 0 without an answer.</param>
/// <param name="requestId">What AWS's support asks for.</param>
internal sealed class Ec2Exception(CallFault fault, string code, string message, int status = 0, string? requestId = null, Exception? inner = null)
    : Exception(message, inner)
{
    public CallFault Fault { get; } = fault;

    public string Code { get; } = code;

    public int Status { get; } = status;

    public string? RequestId { get; } = requestId;

    public static Ec2Exception Unreadable(string what) => new(CallFault.Stranger, "", $"the answer cannot be read: {what}");
}
