namespace InternalHost.Cloud.Ec2;

/// <summary>How far a failed call came.</summary>
public enum Ec2Fault
{
    Unknown = 0,

    /// <summary>EC2 answered with an error; <see cref="Ec2Exception.Code"/> says which.</summary>
    Refused = 1,

    /// <summary>Nothing was sent: no connection, no name, no TLS.</summary>
    Unreachable = 2,

    /// <summary>It was sent, and no whole answer came: it may have been carried out.</summary>
    LostReply = 3,

    /// <summary>Somebody answered who is not EC2: a portal, a proxy.</summary>
    NotEc2 = 4,

    /// <summary>There is nothing to sign with: no credential was found, or it cannot be read.</summary>
    NoCredential = 5,
}

/// <summary>Any failure of a call to EC2, cancellation apart.</summary>
/// <param name="code">EC2's own error code; empty unless it answered.</param>
/// <param name="status">HTTP status; 0 without an answer.</param>
/// <param name="requestId">What AWS's support asks for.</param>
internal sealed class Ec2Exception(Ec2Fault fault, string code, string message, int status = 0, string? requestId = null, Exception? inner = null)
    : Exception(message, inner)
{
    public Ec2Fault Fault { get; } = fault;

    public string Code { get; } = code;

    public int Status { get; } = status;

    public string? RequestId { get; } = requestId;

    public static Ec2Exception Unreadable(string what) => new(Ec2Fault.NotEc2, "", $"the answer cannot be read: {what}");
}
