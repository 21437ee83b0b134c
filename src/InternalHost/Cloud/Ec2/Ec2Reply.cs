using System.Net;
using System.Xml;
using System.Xml.Linq;
using Amazon.Runtime;
using Amazon.Runtime.Internal.Transform;

namespace InternalHost.Cloud.Ec2;

internal sealed class Ec2Reply : AmazonWebServiceResponse
{
    /// <summary>Stands where EC2's error code stands when it was not EC2 that answered.</summary>
    public const string NotEc2 = "internalhost.NotEc2";

    public XElement Root { get; init; } = new("none");
}

/// <summary>Answers and errors of the Query API. What is neither was written by somebody in between, and is told apart.</summary>
internal sealed class Ec2ReplyUnmarshaller(string action) : EC2ResponseUnmarshaller
{
    public override AmazonWebServiceResponse Unmarshall(XmlUnmarshallerContext input) =>
        Read(input) is { } root && root.Name.LocalName == action + "Response"
            ? new Ec2Reply { Root = root }
            : throw Stranger(HttpStatusCode.OK, null);

    /// <param name="innerException">Carries the head of the answer: the SDK reads the server's clock there.</param>
    public override AmazonServiceException UnmarshallException(XmlUnmarshallerContext input, Exception innerException, HttpStatusCode statusCode)
    {
        var root = Read(input);
        var error = root?.Descendants().FirstOrDefault(e => e.Name.LocalName == "Error");
        if (root is not null && error?.Text("Code") is { } code)
        {
            var id = root.Descendants().FirstOrDefault(e => e.Name.LocalName is "RequestID" or "RequestId")?.Value;
            return new AmazonServiceException(error.Text("Message") ?? code, innerException, (int)statusCode < 500 ? ErrorType.Sender : ErrorType.Receiver, code, id, statusCode);
        }

        // A balancer in front of EC2 answers for it in HTML; that is a bad moment. 511 is a portal's own.
        return (int)statusCode >= 500 && statusCode != HttpStatusCode.NetworkAuthenticationRequired
            ? new AmazonServiceException($"HTTP {(int)statusCode} without a word of EC2", innerException, ErrorType.Receiver, "ServiceUnavailable", null, statusCode)
            : Stranger(statusCode, innerException);
    }

    private static AmazonServiceException Stranger(HttpStatusCode status, Exception? inner) =>
        new($"HTTP {(int)status}, and what came is no answer of EC2", inner, ErrorType.Unknown, Ec2Reply.NotEc2, null, status);

    private static XElement? Read(XmlUnmarshallerContext input)
    {
        try
        {
            return XElement.Load(input.Stream);
        }
        catch (XmlException)
        {
            return null;
        }
    }
}
