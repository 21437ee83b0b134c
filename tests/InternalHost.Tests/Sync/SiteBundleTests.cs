using System.Collections.Immutable;
using System.Text.Json;
using Common.Sync;
using InternalHost.Configuration;
using InternalHost.Sync;
using InternalHost.Tests.Configuration;

namespace InternalHost.Tests.Sync;

public sealed class SiteBundleTests : IDisposable
{
    private static readonly ImmutableDictionary<string, string> Secrets =
        new Dictionary<string, string> { ["sms_secret"] = "one", ["mail_secret"] = "two", ["webhook_token"] = "three", ["telegram_secret"] = "four" }.ToImmutableDictionary();

    private readonly SiteFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Bundle_of_a_site_is_this_and_nothing_else()
    {
        _folder.Write("secrets/mail_password", "hunter3");
        var site = Load(_folder.Good
            .Replace("alice:\n", "alice:\n    may: [kvm]\n", StringComparison.Ordinal)
            .Replace("messages:\n", """
                messages:
                  quiet: 23:00-07:00
                  mail: {host: mail.example.net, user: home, secret: mail_password, from: home@example.net, to: [alice@example.net, bob@example.net]}

                """, StringComparison.Ordinal)
            + """
              allow:
                - {cidr: 198.51.100.0/24, users: [alice], keys: ["SHA256:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU"], reason: office, created_by: alice, expires: 2026-12-21}
                - {cidr: 192.168.7.0/24, users: [alice], keys: ["SHA256:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU"], reason: desk, created_by: alice, expires: 2026-12-21}

              """);

        var bundle = SiteBundle.Of(site, 7, "Europe/Paris", Secrets);

        Assert.Equal(
            """
            {"format":1,"site":"home","number":7,"vm":"bastion-home",
            "people":[{"name":"alice","ports":[22002],"devices":[{"name":"laptop","key":"KEY"}],"text":"+15551230001"}],
            "services":[{"name":"ssh","port":22001},{"name":"kvm","port":22002}],
            "networks":[],"time_zone":"Europe/Paris",
            "messages":{"order":["sms","mail"],"quiet":"23:00-07:00","channels":{
            "mail":{"from":"home@example.net","host":"mail.example.net","port":"587","secret":"mail_secret","tls":"starttls","to":"alice@example.net,bob@example.net","user":"home"},
            "sms":{"account":"AC00000000000000000000000000000000","base_url":"https://api.twilio.com","from":"+15551230009","key_name":"AC00000000000000000000000000000000","secret":"sms_secret","to":"+15551230001"}}},
            "allow":[{"network":"198.51.100.0/24","user":"alice","fingerprint":"SHA256:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU","until":"2026-12-22T00:00:00Z","reason":"office"}],
            "secrets":{"mail_secret":"two","sms_secret":"one"}}
            """.ReplaceLineEndings("").Replace("KEY", SiteFolder.HostKey, StringComparison.Ordinal),
            JsonSerializer.Serialize(bundle, BundleJson.Default.Bundle).Replace("\\u002B", "+", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("sms: {base_url: \"http://127.0.0.1:8080\", ", "sms", "127.0.0.1 is reached only from here")]
    [InlineData("sms: {base_url: \"https://192.168.1.9\", ", "sms", "192.168.1.9 is reached only from here")]
    [InlineData("sms: {base_url: \"https://gateway.lan\", ", "sms", "gateway.lan is reached only from here")]
    [InlineData("webhook: {shape: ntfy, url: \"https://ntfy.home.arpa/alerts\"}\n  sms: {", "webhook", "ntfy.home.arpa is reached only from here")]
    [InlineData("webhook: {shape: ntfy, url: \"https://[fd00::1]/alerts\"}\n  sms: {", "webhook", "[fd00::1] is reached only from here")]
    [InlineData("webhook: {shape: ntfy, url: \"https://ntfy.example.net/alerts\", ca: CA}\n  sms: {", "webhook", "its private root (ca) is not known there")]
    public void Channel_that_leads_nowhere_from_there_is_left_out_and_check_config_says_so(string messages, string channel, string why)
    {
        var ca = _folder.Write("ca.pem", "-----BEGIN CERTIFICATE-----\n");
        var site = Load(_folder.Good.Replace("sms: {", messages, StringComparison.Ordinal).Replace("CA}", ca + "}", StringComparison.Ordinal));

        var bundle = SiteBundle.Of(site, 1, null, Secrets);

        Assert.DoesNotContain(channel, bundle.Messages?.Channels.Keys ?? []);
        Assert.DoesNotContain(channel, bundle.Messages?.Order ?? []);
        Assert.DoesNotContain(bundle.Secrets.Keys, name => name.StartsWith(channel, StringComparison.Ordinal));
        Assert.Contains($"The bastion will not use {channel}: {why}.", SiteSummary.Render(site), StringComparison.Ordinal);
    }

    [Fact]
    public void Own_template_goes_along_as_it_was_written()
    {
        _folder.Write("secrets/hook_token", "t");
        var site = Load(_folder.Good.Replace(
            "sms: {", """
            webhook: {shape: own, template: '{"text": "{text}"}', url: "https://hook.example.net/x", token: hook_token}
              sms: {
            """, StringComparison.Ordinal));

        var webhook = SiteBundle.Of(site, 1, null, Secrets).Messages!.Channels["webhook"];

        Assert.Equal("""{"text": "{text}"}""", webhook["template"]);
        Assert.Equal("webhook_token", webhook["token"]);
        Assert.Equal("own", webhook["shape"]);
    }

    [Fact]
    public void Channel_without_its_secret_is_left_out_whole()
    {
        var bundle = SiteBundle.Of(Load(_folder.Good), 1, null, Secrets.Remove("sms_secret"));

        Assert.Null(bundle.Messages);
        Assert.Empty(bundle.Secrets);
        Assert.Single(bundle.People);
    }

    [Theory]
    [InlineData("cloud: static", "bastion-sync", null)]
    [InlineData("agent_port: none\n  cloud: static", null, null)]
    [InlineData("sync: none\n  cloud: static", null, null)]
    [InlineData("sync: my-sync\n  agent_port: none\n  cloud: static", "my-sync", null)]
    [InlineData("dead_man: 30 min\n  cloud: static", "bastion-sync", 30.0)]
    public void Sync_and_dead_man_have_sensible_defaults(string bastion, string? account, double? minutes)
    {
        var site = Load(_folder.Good.Replace("cloud: static", bastion, StringComparison.Ordinal));

        Assert.Equal(account, site.Bastion.SyncUser);
        Assert.Equal(minutes, SiteBundle.Of(site, 1, null, Secrets).DeadManMinutes);
    }

    [Fact]
    public void Vm_that_we_start_switches_itself_off_unless_told_otherwise()
    {
        const string Commands = "commands: {describe: [/bin/a], start: [/bin/b], stop: [/bin/c]}";
        var text = _folder.Good.Replace("cloud: static\n  address: 198.51.100.10", $"cloud: command\n  {Commands}", StringComparison.Ordinal);

        Assert.Equal(20, SiteBundle.Of(Load(text), 1, null, Secrets).DeadManMinutes);
        Assert.Null(SiteBundle.Of(Load(text.Replace("cloud: command", "cloud: command\n  dead_man: none", StringComparison.Ordinal)), 1, null, Secrets).DeadManMinutes);
    }

    [Theory]
    [InlineData("sync: No Account", "bastion.sync", "or none")]
    [InlineData("dead_man: 3 min", "bastion.dead_man", "or none")]
    public void Bad_value_is_told_with_its_key(string line, string key, string reason)
    {
        var error = Assert.Single(_folder.Errors(_folder.Good.Replace("cloud: static", $"{line}\n  cloud: static", StringComparison.Ordinal)));

        Assert.Equal(key, error.Key);
        Assert.Contains(reason, error.Reason, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("alice:", "al_ice:", "people.al_ice", "it becomes an account of the bastion")]
    [InlineData("alice:", "nobody:", "people.nobody", "no person's")]
    [InlineData("devices: {laptop: KEY}", "devices: {laptop: KEY, phone: KEY}", "people.alice.devices.phone", "is the key of alice.devices.laptop too")]
    public void What_the_bastion_would_refuse_is_told_here(string from, string to, string key, string reason)
    {
        var (text, pushed) = (_folder.Good, _folder.Good.Replace(from.Replace("KEY", SiteFolder.HostKey, StringComparison.Ordinal), to.Replace("KEY", SiteFolder.HostKey, StringComparison.Ordinal), StringComparison.Ordinal));
        Assert.NotEqual(text, pushed);

        var error = Assert.Single(_folder.Errors(pushed));

        Assert.Equal(key, error.Key);
        Assert.Contains(reason, error.Reason, StringComparison.Ordinal);
        Assert.Empty(_folder.Errors(pushed.Replace("cloud: static", "sync: none\n  cloud: static", StringComparison.Ordinal)));
    }

    [Fact]
    public void Allowed_network_that_the_bastion_would_not_take_is_left_out_and_said()
    {
        var site = Load(_folder.Good + """
            allow:
              - {cidr: 198.51.0.0/16, i_know: true, users: [alice], keys: ["SHA256:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU"], reason: x, created_by: alice, expires: 2026-12-21}

            """);

        Assert.Empty(SiteBundle.Of(site, 1, null, Secrets).Allow);
        Assert.Contains("The bastion tells of logins from 198.51.0.0/16 all the same: is wider than /24", SiteSummary.Render(site), StringComparison.Ordinal);
    }

    private SiteOptions Load(string text) => _folder.Load(text).OptionsOrThrow();
}
