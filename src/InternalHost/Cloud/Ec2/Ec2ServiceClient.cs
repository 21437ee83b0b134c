using System.Net;
using System.Text;
using System.Xml.Linq;
using Amazon.Runtime;
using Amazon.Runtime.Credentials.Internal;
using Amazon.Runtime.Endpoints;
using Amazon.Runtime.Internal;
using Amazon.Runtime.Internal.Auth;
using Amazon.Runtime.Internal.Transform;
using SdkEndpoint = Amazon.Runtime.Endpoints.Endpoint;

namespace InternalHost.Cloud.Ec2;

/// <summary>What AWSSDK.EC2 would be: the SDK's client, told that the service is EC2 and how its Query API is written.</summary>
internal sealed class Ec2ServiceClient(AWSCredentials credentials, Ec2ServiceConfig config) : AmazonServiceClient(credentials, config)
{
    protected override IServiceMetadata ServiceMetadata { get; } = new Metadata();

    public Task<Ec2Reply> SendAsync(Ec2Call call, CancellationToken ct) => InvokeAsync<Ec2Reply>(
        new Request(call, Config.ServiceVersion), new InvokeOptions { RequestMarshaller = FormMarshaller.Instance, ResponseUnmarshaller = new Ec2ReplyUnmarshaller(call.Action) }, ct);

    /// <summary>Endpoint and identity have no default in this SDK: without these two nothing is sent.</summary>
    protected override void CustomizeRuntimePipeline(RuntimePipeline pipeline)
    {
        pipeline.RemoveHandler<EndpointResolver>();
        pipeline.AddHandlerAfter<Marshaller>(new BaseEndpointResolver());
        pipeline.AddHandlerAfter<Marshaller>(new SignatureV4());
        pipeline.ReplaceHandler<RetryHandler>(new RetryHandler(new Ec2RetryPolicy(Config)));
    }

    private sealed class Request(Ec2Call call, string version) : AmazonWebServiceRequest
    {
        public Ec2Call Call { get; } = call;

        public string Version { get; } = version;
    }

    private sealed class FormMarshaller : IMarshaller<IRequest, AmazonWebServiceRequest>
    {
        public static readonly FormMarshaller Instance = new();

        public IRequest Marshall(AmazonWebServiceRequest input)
        {
            var call = ((Request)input).Call;
            var request = new DefaultRequest(input, "Amazon.EC2");
            if (call.Rest is { } rest)
            {
                // A request with a query sends no body.
                (request.HttpMethod, request.ResourcePath, request.UseQueryString) = (rest.Method, rest.Path, rest.Body is null);
                if (rest.Body is { } body)
                {
                    request.Content = Encoding.UTF8.GetBytes(body);
                    request.Headers["Content-Type"] = "application/xml";
                }
            }
            else
            {
                request.Parameters.Add("Action", call.Action);
                request.Parameters.Add("Version", ((Request)input).Version);
            }

            foreach (var (name, value) in call.Parameters)
            {
                request.Parameters.Add(name, value);
            }

            return request;
        }
    }

    private sealed class SignatureV4 : BaseAuthResolverHandler
    {
        protected override List<IAuthSchemeOption> ResolveAuthOptions(IExecutionContext executionContext) => AuthSchemeOption.DEFAULT_SIGV4;
    }

    private sealed class Metadata : IServiceMetadata
    {
        public string ServiceId => "EC2";

        public IDictionary<string, string> OperationNameMapping { get; } = new Dictionary<string, string>(StringComparer.Ordinal);
    }
}

/// <summary>A service of AWS that is spoken to as EC2 is: forms or documents there, XML back.</summary>
/// <param name="Name">As it is signed for.</param>
internal sealed record AwsService(string Name, string Version)
{
    public static readonly AwsService Ec2 = new("ec2", "2016-11-15");

    public static readonly AwsService Iam = new("iam", "2010-05-08");

    public static readonly AwsService Route53 = new("route53", "2013-04-01");
}

internal sealed class Ec2ServiceConfig : ClientConfig
{

    /// <summary>
    /// Three attempts, the waits at most 1 s and 2 s: what is worth repeating at once is over within the 30 s that the controller grants
    /// a call; the rest is the controller's, which looks at the world before it asks again.
    /// </summary>
    public const int Retries = 2;

    private readonly SdkEndpoint _endpoint;
    private readonly AwsService _service;

    public Ec2ServiceConfig(Ec2Endpoint endpoint, HttpClientFactory http, AwsService service)
        : base(Defaults())
    {
        _service = service;
        _endpoint = new SdkEndpoint(endpoint.Url.ToString());
        AuthenticationServiceName = service.Name;
        ServiceId = service.Name.ToUpperInvariant();
        ServiceURL = endpoint.Url.ToString();
        AuthenticationRegion = endpoint.Region;
        EndpointProvider = new FixedEndpoint(_endpoint);
        MaxErrorRetry = Retries;
        MaxStaleConnectionRetries = 0;
        RetryMode = RequestRetryMode.Standard;
        AllowAutoRedirect = false;
        IgnoreConfiguredEndpointUrls = true;
        HttpClientFactory = http;
    }

    public override string ServiceVersion => _service.Version;

    public override string UserAgent => "internalhost";

    public override string RegionEndpointServiceName => _service.Name;

    public override SdkEndpoint DetermineServiceOperationEndpoint(ServiceOperationEndpointParameters parameters) => _endpoint;

    /// <summary>One for each mode but Auto, which asks the metadata address of a cloud that we are not in.</summary>
    private static DefaultConfigurationProvider Defaults() => new(
        Enum.GetValues<DefaultConfigurationMode>().Where(m => m != DefaultConfigurationMode.Auto).Select(m => new DefaultConfiguration { Name = m, RetryMode = RequestRetryMode.Standard }));

    private sealed class FixedEndpoint(SdkEndpoint endpoint) : IEndpointProvider
    {
        public SdkEndpoint ResolveEndpoint(EndpointParameters parameters) => endpoint;
    }
}

/// <summary>
/// The SDK's policy for what EC2 itself answers: throttling, a bad moment, a wrong clock. A broken connection is not repeated here: whoever
/// asked looks first, by the uplink that is right then. Nor is a want of room, which another size may mend and another second does not.
/// </summary>
internal sealed class Ec2RetryPolicy(IClientConfig config) : StandardRetryPolicy(config)
{
    public override bool RetryForException(IExecutionContext executionContext, Exception exception) =>
        IsOfEc2(exception) && base.RetryForException(executionContext, exception);

    public override async Task<bool> RetryForExceptionAsync(IExecutionContext executionContext, Exception exception) =>
        IsOfEc2(exception) && await base.RetryForExceptionAsync(executionContext, exception);

    public override bool IsStaleConnectionError(Exception exception) => false;

    private static bool IsOfEc2(Exception exception) => exception is AmazonServiceException { ErrorCode: { Length: > 0 } code } && !Ec2Errors.IsCapacity(code);
}
