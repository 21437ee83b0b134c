using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Serialization;
using Bastion.Configuration;
using Bastion.Sessions;
using Common.Hosting;
using Common.Logins;
using Common.Time;
using Microsoft.Extensions.Hosting;

namespace Bastion.People;

/// <summary>What everybody on this machine may know of a site.</summary>
/// <param name="Services">Name by loopback port.</param>
/// <param name="TunnelSince">Ticks of <see cref="Instant"/>; null: its tunnel is not connected.</param>
internal sealed record SiteStatus(string Label, IReadOnlyDictionary<int, string> Services, long? TunnelSince);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(ImmutableArray<SiteStatus>))]
internal sealed partial class SiteStatusJson : JsonSerializerContext;

/// <summary>Keeps that in a file which a person's plain login can read (<c>bastion sentence</c>); the bundles themselves hold secrets.</summary>
internal sealed class SitesFile(AgentOptions options, PresentSessions sessions, TimeProvider time) : BackgroundService
{
    public const string DefaultPath = "/run/bastion/sites.json";
    private const UnixFileMode Readable = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.OtherRead;
    private static readonly TimeSpan LookEvery = TimeSpan.FromSeconds(2);

    /// <summary>Null: not there, or not to be read.</summary>
    public static ImmutableArray<SiteStatus>? Read(string path = DefaultPath)
    {
        try
        {
            return JsonSerializer.Deserialize(File.ReadAllBytes(path), SiteStatusJson.Default.ImmutableArraySiteStatus);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or JsonException)
        {
            return null;
        }
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var path = Path.Combine(Path.GetDirectoryName(options.Door.NologinPath)!, Path.GetFileName(DefaultPath));
        var last = "";
        try
        {
            while (true)
            {
                var now = JsonSerializer.Serialize(Now(await sessions.NowAsync(stoppingToken) ?? []), SiteStatusJson.Default.ImmutableArraySiteStatus);
                if (now != last && TryPut(path, now))
                {
                    last = now;
                }

                await Task.Delay(LookEvery, time, stoppingToken);
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
        }
    }

    private ImmutableArray<SiteStatus> Now(ImmutableArray<OpenSession> open) => [.. options.Sites.Select(site => new SiteStatus(
        site.Label,
        site.Bundle.Services.ToImmutableSortedDictionary(s => s.Port, s => s.Name),
        open.Where(s => s.Role == LoginRole.Site && s.Name == site.Label).Select(s => (long?)s.Since.Ticks).Min()))];

    /// <summary>Where it cannot be written a login is answered without it, and the next look tries again.</summary>
    private static bool TryPut(string path, string text)
    {
        try
        {
            AtomicFile.Put(path, text, Readable);
            return true;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }
}
