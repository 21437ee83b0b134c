using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Lab.World;

/// <summary>
/// A private certificate authority, made fresh for one lab or one test. Its root is valid from 1960 to 2100, so that a clock that is
/// wrong by decades judges the server's certificate only.
/// </summary>
/// <example><code>
/// using var authority = LabAuthority.Create();
/// authority.WriteRoot("/some/folder/ca.pem");                  // for CaFile in the configuration
/// var certificate = authority.Issue("api.lab.test", "127.9.0.80");
/// certificate.WritePem("/some/folder/api.pem", "/some/folder/api.key");
/// </code></example>
public sealed class LabAuthority : IDisposable
{
    private static readonly DateTimeOffset RootFrom = new(1960, 1, 1, 0, 0, 0, TimeSpan.Zero);
    private static readonly DateTimeOffset RootUntil = new(2100, 1, 1, 0, 0, 0, TimeSpan.Zero);

    private readonly string? _issuerUrl;

    private LabAuthority(X509Certificate2 root, string? issuerUrl) => (Root, _issuerUrl) = (root, issuerUrl);

    public X509Certificate2 Root { get; }

    /// <param name="issuerUrl">Where issued certificates say their issuer can be fetched (AIA); null: nowhere.</param>
    public static LabAuthority Create(string name = "Lab authority", string? issuerUrl = null)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = AuthorityRequest(name, key);
        return new LabAuthority(request.CreateSelfSigned(RootFrom, RootUntil), issuerUrl);
    }

    /// <summary>An authority below this one. Its certificates verify only where the intermediate is known.</summary>
    public LabAuthority CreateIntermediate(string name = "Lab intermediate", string? issuerUrl = null)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var signed = AuthorityRequest(name, key).Create(Root, RootFrom, RootUntil, Serial());
        return new LabAuthority(signed.CopyWithPrivateKey(key), issuerUrl);
    }

    /// <summary>A server certificate for names and address literals, valid from 2020 to 2037 unless told otherwise.</summary>
    public LabCertificate Issue(params string[] names) =>
        Issue(new(2020, 1, 1, 0, 0, 0, TimeSpan.Zero), new(2037, 1, 1, 0, 0, 0, TimeSpan.Zero), names);

    public LabCertificate Issue(DateTimeOffset from, DateTimeOffset until, params string[] names)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={names[0]}", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(false, false, 0, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.DigitalSignature, true));
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid("1.3.6.1.5.5.7.3.1")], false));
        request.CertificateExtensions.Add(AlternativeNames(names));
        if (_issuerUrl is not null)
        {
            request.CertificateExtensions.Add(new X509AuthorityInformationAccessExtension(null, [_issuerUrl]));
        }

        using var signed = request.Create(Root, from, until, Serial());
        return new LabCertificate(signed.CopyWithPrivateKey(key));
    }

    public void WriteRoot(string path) => File.WriteAllText(path, Root.ExportCertificatePem() + "\n");

    public void Dispose() => Root.Dispose();

    private static CertificateRequest AuthorityRequest(string name, ECDsa key)
    {
        var request = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign | X509KeyUsageFlags.CrlSign, true));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, false));
        return request;
    }

    private static X509Extension AlternativeNames(string[] names)
    {
        var builder = new SubjectAlternativeNameBuilder();
        foreach (var name in names)
        {
            if (IPAddress.TryParse(name, out var address))
            {
                builder.AddIpAddress(address);
            }
            else
            {
                builder.AddDnsName(name);
            }
        }

        return builder.Build();
    }

    private static byte[] Serial()
    {
        var serial = RandomNumberGenerator.GetBytes(16);
        serial[0] &= 0x7f;
        return serial;
    }
}

/// <summary>A server's certificate with its key.</summary>
public sealed class LabCertificate(X509Certificate2 certificate) : IDisposable
{
    public X509Certificate2 Certificate { get; } = certificate;

    /// <summary>Writes both as PEM, the key readable by us alone.</summary>
    public void WritePem(string certificateFile, string keyFile)
    {
        File.WriteAllText(certificateFile, Certificate.ExportCertificatePem() + "\n");
        using var key = Certificate.GetECDsaPrivateKey()!;
        using var file = new FileStream(keyFile, new FileStreamOptions
        {
            Mode = FileMode.Create,
            Access = FileAccess.Write,
            UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite,
        });
        file.Write(System.Text.Encoding.ASCII.GetBytes(key.ExportPkcs8PrivateKeyPem() + "\n"));
    }

    public static LabCertificate FromPem(string certificateFile, string keyFile) =>
        new(X509Certificate2.CreateFromPemFile(certificateFile, keyFile));

    public void Dispose() => Certificate.Dispose();
}
