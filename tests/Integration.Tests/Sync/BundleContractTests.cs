using System.Collections.Immutable;
using System.Text.Json;
using Bastion.Host;
using Bastion.People;
using Common.Sync;
using InternalHost.Configuration;
using InternalHost.Sync;
using Lab;

namespace Integration.Tests.Sync;

/// <summary>What the inside says, the bastion takes: the one place that knows both programs.</summary>
public sealed class BundleContractTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("bc");

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    public void Bundle_of_the_shipped_example_with_all_that_it_can_hold_is_taken()
    {
        foreach (var secret in (string[])["bastion", "twilio_key", "telegram_token", "ntfy_url", "mail_password"])
        {
            File.WriteAllText(Path.Combine(_folder.FullName, secret), "x");
            File.SetUnixFileMode(Path.Combine(_folder.FullName, secret), UnixFileMode.UserRead | UnixFileMode.UserWrite);
        }

        var yaml = File.ReadAllText(Path.Combine(Repository.Root, "infra/internalhost/internalhost.example.yaml"))
            .Replace("/etc/internalhost/keys/bastion\n", Path.Combine(_folder.FullName, "bastion\n"), StringComparison.Ordinal)
            .Replace("  # telegram: {", "  telegram: {", StringComparison.Ordinal)
            .Replace("  # webhook: {", "  webhook: {", StringComparison.Ordinal)
            .Replace("  # mail: {", "  mail: {", StringComparison.Ordinal)
            .Replace("  # quiet:", "  quiet:", StringComparison.Ordinal)
            .Replace("  # dead_man: 20m", "  dead_man: 20m", StringComparison.Ordinal)
            .Replace("# allow:", "allow:", StringComparison.Ordinal)
            .Replace("#   - {cidr:", "  - {cidr:", StringComparison.Ordinal)
            .Replace("\"SHA256:...\"", "\"SHA256:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU\"", StringComparison.Ordinal);
        var reading = SiteConfiguration.Parse($"secrets_directory: {_folder.FullName}\n{yaml}");
        Assert.Empty(reading.Errors);
        var site = reading.OptionsOrThrow();
        var secrets = PushedChannels.Of(site.Messages).SelectMany(c => c.SecretFiles.Keys).ToDictionary(n => n, _ => "x", StringComparer.Ordinal);

        var said = SiteBundle.Of(site, 1_794_000_000, "Europe/Paris", secrets);
        var heard = BundleReader.Read(JsonSerializer.SerializeToUtf8Bytes(said, BundleJson.Default.Bundle));

        Assert.Empty(BundleRules.Check(heard, new BundleScene(new SiteAccess("home", site.Bastion.FirstForwardPort), [], [])));
        Assert.Equal(["alice"], heard.People.Select(p => p.Name));
        Assert.Equal(["mail", "sms", "telegram", "webhook"], heard.Messages!.Channels.Keys.Order(StringComparer.Ordinal));
        Assert.Equal(["telegram", "webhook", "sms", "mail"], heard.Messages.Order);
        Assert.Single(heard.Allow);
        Assert.Equal(20, heard.DeadManMinutes);
        Assert.Equal(4, heard.Secrets.Count);
    }
}
