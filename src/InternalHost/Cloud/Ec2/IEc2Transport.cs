using System.Xml.Linq;

namespace InternalHost.Cloud.Ec2;

/// <summary>
/// Port to the EC2 Query API: one signed call, one answer. What is retried is retried inside; a call may be repeated by whoever made it
/// only as its action allows. With AWSSDK.EC2 at hand this is the one thing that is replaced (docs/decisions/0002).
/// </summary>
internal interface IEc2Transport
{
    /// <summary>The answer's root element, <c>{Action}Response</c>; its namespace is the server's own, so look by local name (<see cref="Ec2Xml"/>).</summary>
    /// <exception cref="Ec2Exception"/>
    /// <exception cref="OperationCanceledException"><paramref name="ct"/> was cancelled.</exception>
    Task<XElement> SendAsync(Ec2Call call, CancellationToken ct);
}
