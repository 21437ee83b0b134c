using System.Collections.Concurrent;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Http;

namespace Lab.Clouds;

/// <summary>
/// AWS Signature Version 4 from the server's side: the signature is made again from the secret and compared. Written from AWS's
/// description of the process, and so a second opinion on the client's.
/// </summary>
public sealed class SignatureV4
{
    private const string Algorithm = "AWS4-HMAC-SHA256";

    /// <summary>A request is good for so long before and after its date.</summary>
    private static readonly TimeSpan GoodFor = TimeSpan.FromMinutes(5);

    private readonly ConcurrentDictionary<string, (string Secret, string? Token)> _keys = new(StringComparer.Ordinal);

    /// <param name="token">A session's; null: a key for ever.</param>
    public void Add(string keyId, string secret, string? token = null) => _keys[keyId] = (secret, token);

    public void Remove(string keyId) => _keys.TryRemove(keyId, out _);

    /// <summary>Throws what EC2 says to a request that is not well signed.</summary>
    internal void Check(HttpRequest request, byte[] body, DateTimeOffset now)
    {
        var header = request.Headers.Authorization.ToString();
        if (!header.StartsWith(Algorithm + " ", StringComparison.Ordinal))
        {
            throw new Ec2Refusal("MissingAuthenticationToken", "Request is missing Authentication Token", 403);
        }

        var parts = header[Algorithm.Length..].Split(',', StringSplitOptions.TrimEntries).Select(p => p.Split('=', 2)).ToDictionary(p => p[0].Trim(), p => p[1], StringComparer.Ordinal);
        if (parts["Credential"].Split('/') is not [var keyId, var day, var region, var service, "aws4_request"] || service is not ("ec2" or "sts" or "iam"))
        {
            throw Unknown();
        }

        var stamp = request.Headers["X-Amz-Date"].ToString();
        var date = DateTimeOffset.ParseExact(stamp, "yyyyMMdd'T'HHmmss'Z'", CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal);
        if ((date - now).Duration() > GoodFor)
        {
            throw new Ec2Refusal("RequestExpired", "Request has expired.");
        }

        if (!_keys.TryGetValue(keyId, out var key) || !stamp.StartsWith(day, StringComparison.Ordinal) || (key.Token ?? "") != request.Headers["X-Amz-Security-Token"].ToString())
        {
            throw Unknown();
        }

        var scope = $"{day}/{region}/{service}/aws4_request";
        var toSign = string.Join('\n', Algorithm, stamp, scope, Hex(SHA256.HashData(Encoding.UTF8.GetBytes(Canonical(request, body, parts["SignedHeaders"])))));
        var signing = Hmac(Hmac(Hmac(Hmac(Encoding.UTF8.GetBytes("AWS4" + key.Secret), day), region), service), "aws4_request");
        if (Hex(Hmac(signing, toSign)) != parts["Signature"])
        {
            throw Unknown();
        }
    }

    private static string Canonical(HttpRequest request, byte[] body, string signedHeaders)
    {
        var names = signedHeaders.Split(';');
        if (!names.Contains("host") || !names.Contains("x-amz-date"))
        {
            throw new Ec2Refusal("IncompleteSignature", "'Host' and 'X-Amz-Date' must be signed");
        }

        var headers = names.Select(n => $"{n}:{string.Join(' ', request.Headers[n].ToString().Split(' ', StringSplitOptions.RemoveEmptyEntries))}\n");
        return string.Join('\n', request.Method, request.Path.Value, request.QueryString.Value?.TrimStart('?') ?? "", string.Concat(headers), signedHeaders, Hex(SHA256.HashData(body)));
    }

    private static Ec2Refusal Unknown() => new("AuthFailure", "AWS was not able to validate the provided access credentials", 401);

    private static byte[] Hmac(byte[] key, string text) => HMACSHA256.HashData(key, Encoding.UTF8.GetBytes(text));

    private static string Hex(byte[] bytes) => Convert.ToHexStringLower(bytes);
}
