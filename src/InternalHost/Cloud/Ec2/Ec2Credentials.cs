using Amazon.Runtime;
using Amazon.Runtime.CredentialManagement;
using Amazon.Runtime.Credentials;

namespace InternalHost.Cloud.Ec2;

/// <summary>What our calls are signed with: the file of <c>bastion.secret</c>, else environment and profile, else the rest of the SDK's chain.</summary>
/// <param name="assume">Makes credentials of a role out of others.</param>
internal sealed class Ec2Credentials(Func<AWSCredentials, CredentialProfileOptions, AWSCredentials> assume)
{
    private const string MetadataDisabled = "AWS_EC2_METADATA_DISABLED";
    private const string UsualProfile = "default";

    /// <param name="secretFile">A shared credentials file, profile <c>default</c>; null: none is named.</param>
    /// <exception cref="AmazonClientException">None was found.</exception>
    public AWSCredentials Find(string? secretFile)
    {
        if (secretFile is not null)
        {
            return new SecretFileCredentials(
                secretFile,
                path => Understood(() => OfProfile(new SharedCredentialsFile(path), UsualProfile))
                    ?? throw new AmazonClientException($"{path} holds no usable profile [{UsualProfile}]: aws_access_key_id and aws_secret_access_key"));
        }

        if (Environment.GetEnvironmentVariable(EnvironmentVariablesAWSCredentials.ENVIRONMENT_VARIABLE_ACCESSKEY) is { Length: > 0 })
        {
            return new EnvironmentVariablesAWSCredentials();
        }

        var profile = Environment.GetEnvironmentVariable("AWS_PROFILE") is { Length: > 0 } name ? name : UsualProfile;
        return Understood(() => OfProfile(new SharedCredentialsFile(), profile)) ?? Rest();
    }

    /// <summary>
    /// Web identity, container. The SDK's last resort is to ask 169.254.169.254, which outside of EC2 is whoever is there: only where
    /// the environment says so in so many words.
    /// </summary>
    private static AWSCredentials Rest()
    {
        if (Environment.GetEnvironmentVariable(MetadataDisabled) is null)
        {
            Environment.SetEnvironmentVariable(MetadataDisabled, "true");
        }

        return DefaultAWSCredentialsIdentityResolver.GetCredentials();
    }

    /// <summary>Null: there is no such profile, or nothing to sign with in it.</summary>
    private AWSCredentials? OfProfile(SharedCredentialsFile file, string name)
    {
        if (!file.TryGetProfile(name, out var profile))
        {
            return null;
        }

        var options = profile.Options;
        if (options is { RoleArn.Length: > 0, SourceProfile: { Length: > 0 } source } && source != name)
        {
            return OfProfile(file, source) is { } own ? assume(own, options) : null;
        }

        return AWSCredentialsFactory.TryGetAWSCredentials(profile, file, out var credentials) ? credentials : null;
    }

    /// <summary>Null where the file is of another form. The SDK's words for that quote the line, which may be the key: they go no further.</summary>
    private static AWSCredentials? Understood(Func<AWSCredentials?> read)
    {
        try
        {
            return read();
        }
        catch (InvalidDataException)
        {
            return null;
        }
    }
}

/// <summary>A credentials file, read again when it has changed: a replaced key needs no restart.</summary>
internal sealed class SecretFileCredentials(string path, Func<string, AWSCredentials> read) : AWSCredentials
{
    private readonly Lock _gate = new();
    private (DateTime Written, long Length, AWSCredentials Credentials)? _last;   // guarded by _gate

    public override ImmutableCredentials GetCredentials() => Current().GetCredentials();

    public override Task<ImmutableCredentials> GetCredentialsAsync() => Current().GetCredentialsAsync();

    /// <exception cref="AmazonClientException">It is not there, or holds no key.</exception>
    private AWSCredentials Current()
    {
        lock (_gate)
        {
            try
            {
                var file = new FileInfo(path);
                if (_last is not { } last || last.Written != file.LastWriteTimeUtc || last.Length != file.Length)
                {
                    _last = last = (file.LastWriteTimeUtc, file.Length, read(path));
                }

                return last.Credentials;
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                throw new AmazonClientException($"{path} cannot be read: {e.Message}", e);
            }
        }
    }
}
