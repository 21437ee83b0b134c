using System.Net;
using System.Xml.Linq;
using Amazon.Runtime;
using Amazon.Runtime.Internal;

namespace InternalHost.Cloud.Ec2;

/// <summary>
/// <see cref="IEc2Transport"/> on AWSSDK.Core: signing, the chain of credentials with its refresh, retry by kind of error and recovery
/// from a wrong clock are the SDK's; sockets, names and certificates are the handler's that it is given (UplinkHttp).
/// </summary>
/// <param name="secretFile">A shared credentials file; null: the SDK's chain.</param>
/// <param name="handler">Takes every request; disposed with this.</param>
/// <param name="service">Null: EC2.</param>
internal sealed class Ec2Transport(Ec2Endpoint endpoint, string? secretFile, HttpMessageHandler handler, AwsService? service = null) : IEc2Transport, IDisposable
{
    private readonly HttpClient _http = new(new WholeReplies(handler), disposeHandler: true) { Timeout = ReplyTimeout };
    private readonly Lock _gate = new();
    private Ec2ServiceClient? _client;   // made at the first call: looking for a credential touches files; guarded by _gate

    /// <summary>Below the controller's patience of 30 s, so that it is said what did not answer.</summary>
    private static readonly TimeSpan ReplyTimeout = TimeSpan.FromSeconds(25);

    public async Task<XElement> SendAsync(Ec2Call call, CancellationToken ct)
    {
        try
        {
            return (await Client().SendAsync(call, ct)).Root;
        }
        catch (Exception e) when (e is not Ec2Exception && !(e is OperationCanceledException && ct.IsCancellationRequested))
        {
            throw Failed(e);
        }
    }

    public void Dispose()
    {
        _client?.Dispose();
        _http.Dispose();
    }

    private Ec2ServiceClient Client()
    {
        lock (_gate)
        {
            return _client ??= Create();
        }
    }

    private Ec2ServiceClient Create()
    {
        var http = new OneHttpClient(_http);
        var credentials = new Ec2Credentials((own, role) => new Ec2Role(own, role, endpoint.Region, endpoint.Tokens, http));
        return new Ec2ServiceClient(credentials.Find(secretFile), new Ec2ServiceConfig(endpoint, http, service ?? AwsService.Ec2));
    }

    /// <summary>The SDK lets four kinds of exception out; a fifth is a mistake in it or here, and must not end who asked.</summary>
    private Ec2Exception Failed(Exception e) => e switch
    {
        AmazonServiceException { ErrorCode: Ec2Reply.NotEc2 } s => new(CallFault.Stranger, "", s.Message, (int)s.StatusCode, null, s),
        AmazonServiceException { ErrorCode: { Length: > 0 } code } s => new(CallFault.Refused, code, s.Message, (int)s.StatusCode, s.RequestId, s),
        AmazonServiceException s when s.InnerException is HttpRequestException or IOException => new(CallFault.LostReply, "", $"{endpoint.Url.Host}: {s.InnerException.Message}", 0, null, s),
        AmazonServiceException s => new(CallFault.Stranger, "", s.Message, (int)s.StatusCode, null, s),
        AmazonClientException c => new(CallFault.NoCredential, "", c.Message, 0, null, c),
        HttpRequestException h => new(NoAnswer.Fault(h), "", h.Message, 0, null, h),
        IOException io => new(CallFault.LostReply, "", io.Message, 0, null, io),
        OperationCanceledException => new(CallFault.LostReply, "", $"{endpoint.Url.Host} did not answer in {ReplyTimeout.TotalSeconds} s", 0, null, e),
        _ => new(CallFault.Unknown, "", $"{e.GetType().Name}: {e.Message}", 0, null, e),
    };

    /// <summary>The SDK asks for a client at every request; it is always given the same one, which is ours to dispose.</summary>
    private sealed class OneHttpClient(HttpClient client) : HttpClientFactory
    {
        public override HttpClient CreateHttpClient(IClientConfig clientConfig) => client;

        public override bool UseSDKHttpClientCaching(IClientConfig clientConfig) => false;

        public override bool DisposeHttpClientsAfterUse(IClientConfig clientConfig) => false;
    }

    /// <summary>The SDK reads bodies without a token and without a limit. Here they are whole, of bounded size and cancellable before it sees them.</summary>
    private sealed class WholeReplies(HttpMessageHandler inner) : DelegatingHandler(inner)
    {
        private const int LongestReply = 8 * 1024 * 1024;

        protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            var response = await base.SendAsync(request, cancellationToken);
            try
            {
                await response.Content.LoadIntoBufferAsync(LongestReply, cancellationToken);
                return response;
            }
            catch
            {
                response.Dispose();
                throw;
            }
        }
    }
}
