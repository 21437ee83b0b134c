using System.Text.Json.Nodes;
using InternalHost.Cli;
using Lab.Clouds;

namespace Integration.Tests.Cloud.Making;

/// <summary>The verbs as they are typed, with the product's own HTTP, against DigitalOcean's stand-in.</summary>
public sealed class CloudVerbsOnStandInTests : IAsyncLifetime
{
    private readonly string _folder = Directory.CreateTempSubdirectory("cloud-verbs-").FullName;
    private DigitalOceanStandIn _standIn = null!;

    public async Task InitializeAsync()
    {
        _standIn = await DigitalOceanStandIn.StartAsync();
        Write("token", DigitalOceanStandIn.Token);
        Write("bastion", "a private key, for those who look");
        Write("twilio_key", "secret");
        Write("a.yaml",
            $$"""
            site: home
            uplinks:
              primary: {interface: lo, address: 127.0.0.1}
              backup: {interface: lo, address: 127.0.0.2}
            bastion:
              cloud: digitalocean
              region: fra1
              secret: digitalocean
              endpoint: {{_standIn.BaseUrl}}
              key: {{At("bastion")}}
              host_keys: {{At("bastion_host.pub")}}
            people:
              alice:
                text: "+15551230001"
                devices: {laptop: {{FakeMachines.Key(3)}}}
            messages:
              sms: {from: "+15551230009", account: AC00000000000000000000000000000000, secret: twilio_key}
            secrets_directory: {{_folder}}
            state_directory: {{At("state")}}
            """);
    }

    public async Task DisposeAsync()
    {
        await _standIn.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public async Task Plan_changes_nothing_and_remove_takes_all_of_the_site_and_nothing_else()
    {
        _standIn.AddSnapshot("bastion-home.golden.1", "fra1");
        _standIn.AddSnapshot("holidays", "fra1");
        _standIn.Add("bastion-home", "bastion:site:home");
        var other = _standIn.Add("shop", "shop");

        var plan = JsonNode.Parse(await RunAsync(0, "plan", "--json"))!;
        Assert.Equal(["SSH key", "cloud firewall", "Droplet", "snapshot"], plan["wanted"]!.AsArray().Select(t => (string?)t!["kind"]));
        Assert.Equal(["Droplet", "snapshot"], plan["there"]!.AsArray().Select(t => (string?)t!["kind"]));
        Assert.DoesNotContain(_standIn.Requests, r => !r.StartsWith("GET ", StringComparison.Ordinal));

        var removed = await RunAsync(0, "remove", "--yes");

        Assert.Contains("to be deleted: snapshot", removed, StringComparison.Ordinal);
        Assert.Contains("nothing of site home is left", removed, StringComparison.Ordinal);
        Assert.Equal(other.Id, Assert.Single(_standIn.Droplets).Id);
        Assert.Equal("holidays", Assert.Single(_standIn.SnapshotNames));
        Assert.Contains("nothing of site home is at digitalocean", await RunAsync(0, "remove", "--yes"), StringComparison.Ordinal);
    }

    private async Task<string> RunAsync(int code, string verb, params string[] more)
    {
        using StringWriter output = new(), errors = new();
        var ended = await CommandTree.RunAsync(["cloud", verb, .. more, "--token-file", At("token"), "-c", At("a.yaml")], output, errors);
        Assert.True(ended == code, $"{ended}: {output}{errors}");
        Assert.DoesNotContain(DigitalOceanStandIn.Token, output.ToString(), StringComparison.Ordinal);
        return output.ToString().Trim();
    }

    private string At(string name) => Path.Combine(_folder, name);

    private void Write(string name, string text)
    {
        File.WriteAllText(At(name), text);
        File.SetUnixFileMode(At(name), UnixFileMode.UserRead | UnixFileMode.UserWrite);
    }
}
