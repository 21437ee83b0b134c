using System.Security.Cryptography.X509Certificates;

namespace Common.Alerts.Http;

/// <summary>Trust in one private authority instead of the system's.</summary>
public static class PrivateRoot
{
    /// <param name="caFile">PEM.</param>
    public static X509ChainPolicy Policy(string caFile)
    {
        var policy = new X509ChainPolicy
        {
            TrustMode = X509ChainTrustMode.CustomRootTrust,
            RevocationMode = X509RevocationMode.NoCheck,
            DisableCertificateDownloads = true,
        };
        policy.CustomTrustStore.ImportFromPemFile(caFile);
        return policy;
    }
}
