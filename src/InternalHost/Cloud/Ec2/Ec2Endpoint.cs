namespace InternalHost.Cloud.Ec2;

/// <summary>Where a region's API is.</summary>
/// <param name="Tokens">Where roles are assumed (STS).</param>
internal sealed record Ec2Endpoint(string Region, Uri Url, Uri Tokens)
{
    /// <param name="own">An endpoint of the owner's, for all services: a private cloud, a test. Null: the region's public ones.</param>
    public static Ec2Endpoint Of(string region, Uri? own) => new(region, own ?? Public("ec2", region), own ?? Public("sts", region));

    /// <summary>Where users and their keys are made: one place for the whole partition.</summary>
    public static Ec2Endpoint Iam(string region, Uri? own) => region.StartsWith("cn-", StringComparison.Ordinal)
        ? Of("cn-north-1", own ?? new Uri("https://iam.cn-north-1.amazonaws.com.cn/"))
        : Of("us-east-1", own ?? new Uri("https://iam.amazonaws.com/"));

    /// <summary>Where zones are kept: one place for all regions outside China.</summary>
    public static Ec2Endpoint Route53(Uri? own) => Of("us-east-1", own ?? new Uri("https://route53.amazonaws.com/"));

    private static Uri Public(string service, string region) => new($"https://{service}.{region}.{Suffix(region)}/");

    /// <summary>The domain of the region's partition.</summary>
    private static string Suffix(string region) => region.StartsWith("cn-", StringComparison.Ordinal) ? "amazonaws.com.cn" : "amazonaws.com";
}
