using Amazon.Runtime;
using Amazon.Runtime.CredentialManagement;
using Amazon.SecurityToken;
using Amazon.SecurityToken.Model;

namespace InternalHost.Cloud.Ec2;

/// <summary>
/// The session of a role, renewed before it ends. The SDK's own would ask the token service by a client of its own, so by any uplink and
/// the system's resolver; this asks as all our calls do.
/// </summary>
internal sealed class Ec2Role : RefreshingAWSCredentials
{
    private readonly AmazonSecurityTokenServiceClient _tokens;
    private readonly AssumeRoleRequest _request;

    /// <param name="own">What the role is assumed with.</param>
    /// <param name="url">Where the token service is.</param>
    public Ec2Role(AWSCredentials own, CredentialProfileOptions role, string region, Uri url, HttpClientFactory http)
    {
        _request = new AssumeRoleRequest { RoleArn = role.RoleArn, RoleSessionName = role.RoleSessionName ?? "internalhost", ExternalId = role.ExternalID };
        _tokens = new AmazonSecurityTokenServiceClient(own, new AmazonSecurityTokenServiceConfig
        {
            ServiceURL = url.ToString(),
            AuthenticationRegion = region,
            IgnoreConfiguredEndpointUrls = true,
            MaxErrorRetry = Ec2ServiceConfig.Retries,
            HttpClientFactory = http,
        });
        PreemptExpiryTime = TimeSpan.FromMinutes(5);
    }

    protected override async Task<CredentialsRefreshState> GenerateNewCredentialsAsync()
    {
        var session = (await _tokens.AssumeRoleAsync(_request)).Credentials;
        return new CredentialsRefreshState(new ImmutableCredentials(session.AccessKeyId, session.SecretAccessKey, session.SessionToken), session.Expiration ?? DateTime.MaxValue);
    }

    protected override CredentialsRefreshState GenerateNewCredentials() => throw new NotSupportedException("only the asynchronous way is used");

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _tokens.Dispose();
        }

        base.Dispose(disposing);
    }
}
