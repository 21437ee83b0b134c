using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using InternalHost.Wan.Clock;

namespace InternalHost.Wan.Probes;

/// <summary>
/// How a TLS server is judged: the system's roots or one private root, the name, and trusted time. Nothing is fetched while judging: the
/// platform would fetch issuers and revocation lists by the system's resolver and route.
/// </summary>
internal sealed class ServerTrust
{
    /// <summary>id-kp-serverAuth (RFC 5280 4.2.1.12).</summary>
    private static readonly Oid ServerAuthentication = new("1.3.6.1.5.5.7.3.1");

    private readonly TrustedTime _time;
    private readonly X509Certificate2Collection? _roots;

    /// <param name="caFile">PEM of private roots, which then are the only ones; null: the system's.</param>
    /// <exception cref="CryptographicException">The file holds no certificate.</exception>
    public ServerTrust(TrustedTime time, string? caFile)
    {
        _time = time;
        if (caFile is not null)
        {
            _roots = [];
            _roots.ImportFromPemFile(caFile);
            if (_roots.Count == 0)
            {
                throw new CryptographicException($"{caFile} holds no certificate in PEM form");
            }
        }
    }

    public SslClientAuthenticationOptions For(string host)
    {
        var reading = _time.Read();
        return new SslClientAuthenticationOptions
        {
            TargetHost = host,
            ApplicationProtocols = [SslApplicationProtocol.Http11],
            CertificateRevocationCheckMode = X509RevocationMode.NoCheck,
            CertificateChainPolicy = Policy(reading.Now.UtcDateTime),
            RemoteCertificateValidationCallback = (_, certificate, chain, errors) => errors == SslPolicyErrors.None
                || (reading.IsLowerBound && errors == SslPolicyErrors.RemoteCertificateChainErrors && OnlyTooYoung(certificate, chain, reading.Now)),
        };
    }

    private X509ChainPolicy Policy(DateTime at)
    {
        var policy = new X509ChainPolicy
        {
            DisableCertificateDownloads = true,
            RevocationMode = X509RevocationMode.NoCheck,
            VerificationTime = at,
        };
        policy.ApplicationPolicy.Add(ServerAuthentication);
        if (_roots is not null)
        {
            policy.TrustMode = X509ChainTrustMode.CustomRootTrust;
            policy.CustomTrustStore.AddRange(_roots);
        }

        return policy;
    }

    /// <summary>
    /// While time is only a lower bound, a certificate that begins later proves no fault: a Pi that slept for a month would be locked out
    /// by every certificate renewed meanwhile. It is judged at the first moment when all of its chain has begun; everything else must hold
    /// then, and nothing may have expired.
    /// </summary>
    private bool OnlyTooYoung(X509Certificate? certificate, X509Chain? chain, DateTimeOffset now)
    {
        if (certificate is not X509Certificate2 leaf || chain is null)
        {
            return false;
        }

        var begins = chain.ChainElements.Select(e => e.Certificate.NotBefore.ToUniversalTime()).Append(now.UtcDateTime).Max();
        using var again = new X509Chain { ChainPolicy = Policy(begins) };
        again.ChainPolicy.ExtraStore.AddRange(chain.ChainPolicy.ExtraStore);
        foreach (var element in chain.ChainElements.Skip(1))
        {
            again.ChainPolicy.ExtraStore.Add(element.Certificate);
        }

        return begins > now.UtcDateTime && again.Build(leaf);
    }
}
