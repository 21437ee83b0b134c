namespace Integration.Tests.Contracts;

/// <summary>A provider's OpenAPI description, where it is at hand: in BASTION_CONTRACTS, or in ../shared/contracts beside the repository.</summary>
internal static class OfficialDescription
{
    public const string DigitalOcean = "digitalocean-v2.openapi.yaml";
    public const string Twilio = "twilio-api-v2010.openapi.json";

    /// <summary>Its path; null: it is not here.</summary>
    public static string? Find(string fileName) => Folders().Select(folder => Path.Combine(folder, fileName)).FirstOrDefault(File.Exists);

    /// <summary>Why a test that needs it is skipped; null: it is here.</summary>
    public static string? Missing(string fileName) => Find(fileName) is null ? $"{fileName} is not here (set BASTION_CONTRACTS to its folder)" : null;

    private static IEnumerable<string> Folders()
    {
        if (Environment.GetEnvironmentVariable("BASTION_CONTRACTS") is { Length: > 0 } named)
        {
            yield return named;
        }

        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            yield return Path.Combine(folder.FullName, "shared", "contracts");
        }
    }
}
