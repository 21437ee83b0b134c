using InternalHost.Cli;
using InternalHost.Tests.Configuration;

namespace InternalHost.Tests.Cloud.Making;

/// <summary>What the verbs refuse before anything is asked of a provider.</summary>
public sealed class CloudVerbsTests : IDisposable
{
    private readonly SiteFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Other_providers_are_refused() =>
        Assert.Contains("bastion.cloud is static", await ErrorAsync(2, _folder.Good, "plan"), StringComparison.Ordinal);

    [Fact]
    public async Task Pins_must_be_a_file_because_they_are_written() =>
        Assert.Contains("host_keys must name a file", await ErrorAsync(2, DigitalOcean(SiteFolder.HostKey), "plan"), StringComparison.Ordinal);

    [Fact]
    public async Task Pins_and_secret_need_not_be_there_but_a_token_and_a_private_file_of_it()
    {
        var site = DigitalOcean(_folder.At("keys/new.pub"));
        var open = _folder.Write("token", "word");
        File.SetUnixFileMode(open, UnixFileMode.UserRead | UnixFileMode.OtherRead);

        Assert.Contains("make it 0600", await ErrorAsync(1, site, "plan", "--token-file", open), StringComparison.Ordinal);
        Assert.Contains("is not there", await ErrorAsync(1, site, "remove", "--yes", "--token-file", _folder.At("nowhere")), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_maintenance_key_that_is_named_must_be_there() =>
        Assert.Contains("is not there", await ErrorAsync(2, DigitalOcean(_folder.At("keys/new.pub")), "create", "--maintenance-key", _folder.At("keys/nobody")), StringComparison.Ordinal);

    [Fact]
    public async Task What_it_costs_is_told_before_there_is_a_key_or_a_secret()
    {
        var site = DigitalOcean(_folder.At("keys/new.pub"));
        Directory.Delete(_folder.At("keys"), recursive: true);
        Directory.Delete(_folder.At("secrets"), recursive: true);
        using StringWriter output = new(), errors = new();

        Assert.Equal(0, await CommandTree.RunAsync(["cost", "-c", _folder.Write("a.yaml", site)], output, errors));

        Assert.Contains("at rest", output.ToString(), StringComparison.Ordinal);
        Assert.Empty(errors.ToString());
    }

    private string DigitalOcean(string hostKeys) => _folder.Good
        .Replace("  cloud: static\n  address: 198.51.100.10\n", "  cloud: digitalocean\n  region: fra1\n  secret: digitalocean\n  endpoint: http://127.0.0.1:9/\n", StringComparison.Ordinal)
        .Replace($"host_keys: {SiteFolder.HostKey}", $"host_keys: {hostKeys}", StringComparison.Ordinal);

    private async Task<string> ErrorAsync(int code, string yaml, params string[] words)
    {
        using StringWriter output = new(), errors = new();
        Assert.Equal(code, await CommandTree.RunAsync(["cloud", .. words, "-c", _folder.Write("a.yaml", yaml)], output, errors));
        return errors.ToString();
    }
}
