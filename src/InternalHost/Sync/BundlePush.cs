using System.Collections.Immutable;
using System.Net;
using System.Security.Cryptography;
using System.Text.Json;
using Common.Alerts;
using Common.Sync;
using InternalHost.Configuration;

namespace InternalHost.Sync;

/// <summary>One push from the configuration in force to the bastion's answer: secrets read, a number taken, signed, sent; once more where the bastion has a higher number.</summary>
/// <param name="options">Read at each push: a reload changes people and services.</param>
/// <param name="send">The bundle's bytes and its number.</param>
/// <param name="trusted">Unix seconds; null: the time is not known.</param>
internal sealed class BundlePush(
    Func<SiteOptions> options, BundleNumbers numbers, Func<IPAddress, ReadOnlyMemory<byte>, long, CancellationToken, Task<SyncAnswer>> send, Func<long?> trusted, string? timeZone)
{
    private volatile string? _accepted;

    public async Task<SyncAnswer> RunAsync(IPAddress address, CancellationToken ct)
    {
        var site = options();
        var (secrets, missing) = await ReadSecretsAsync(site, ct);
        var answer = await PushAsync(address, site, secrets, numbers.Next(trusted()), ct);
        if (answer is { Problem.Failure: SyncFailure.Old, InForce: { } there })
        {
            // Our disk was lost, or another machine has pushed for this site.
            answer = there < BundleNumbers.Highest
                ? await PushAsync(address, site, secrets, numbers.Next(trusted(), there), ct)
                : answer with { Problem = new(SyncFailure.Garbled, $"the bastion claims to have bundle {there}, beyond all counting") };
        }

        _accepted = answer.Accepted ? Fingerprint(site, secrets) : _accepted;
        return answer.Accepted && missing is not null ? answer with { Problem = new(SyncFailure.SecretMissing, missing) } : answer;
    }

    /// <summary>Does the configuration in force say something else than the bastion has accepted?</summary>
    public async Task<bool> DiffersAsync(CancellationToken ct)
    {
        var site = options();
        return Fingerprint(site, (await ReadSecretsAsync(site, ct)).Secrets) != _accepted;
    }

    private Task<SyncAnswer> PushAsync(IPAddress address, SiteOptions site, ImmutableDictionary<string, string> secrets, long number, CancellationToken ct)
    {
        var bytes = Bytes(SiteBundle.Of(site, number, timeZone, secrets));
        return bytes.Length <= Bundle.LongestBytes
            ? send(address, bytes, number, ct)
            : Task.FromResult(SyncAnswer.Not(SyncFailure.TooLong, $"the bundle has {bytes.Length} bytes, {Bundle.LongestBytes} are taken"));
    }

    private static async Task<(ImmutableDictionary<string, string> Secrets, string? Missing)> ReadSecretsAsync(SiteOptions site, CancellationToken ct)
    {
        var secrets = ImmutableDictionary.CreateBuilder<string, string>(StringComparer.Ordinal);
        string? missing = null;
        foreach (var (name, file) in PushedChannels.Of(site.Messages).Where(c => c.LeftOut is null).SelectMany(c => c.SecretFiles))
        {
            try
            {
                secrets[name] = await ChannelSecret.ReadAsync(file, ct);
            }
            catch (HttpRequestException e)
            {
                missing ??= $"{name}: {e.Message}";
            }
        }

        return (secrets.ToImmutable(), missing);
    }

    private string Fingerprint(SiteOptions site, ImmutableDictionary<string, string> secrets) =>
        Convert.ToHexString(SHA256.HashData(Bytes(SiteBundle.Of(site, 0, timeZone, secrets))));

    private static byte[] Bytes(Bundle bundle) => JsonSerializer.SerializeToUtf8Bytes(bundle, BundleJson.Default.Bundle);
}
