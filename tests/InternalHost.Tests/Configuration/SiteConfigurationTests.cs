using System.Net;
using Common.Configuration;
using InternalHost.Configuration;

namespace InternalHost.Tests.Configuration;

public sealed class SiteConfigurationTests : IDisposable
{
    private readonly SiteFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Good_file_becomes_options_with_defaults()
    {
        var options = _folder.Load(_folder.Good).OptionsOrThrow();

        Assert.Equal("home", options.Site);
        Assert.Equal(Wiring.B, options.Wiring);
        Assert.Equal(IPAddress.Parse("192.168.1.6"), options.Backup.Address);
        Assert.Equal(TimeSpan.FromSeconds(7.8), options.Outage.ConfirmAfter);
        Assert.Equal([49022, 443], options.Bastion.Ports.ToArray());
        Assert.Equal("site-home", options.Bastion.User);
        Assert.Equal("bastion-home", options.Bastion.HostKeyAlias);
        Assert.Equal([SiteFolder.HostKey], options.Bastion.HostKeys.ToArray());
        Assert.Equal([("ssh", 22001), ("kvm", 22002)], options.Services.Select(s => (s.Name, s.BastionPort)));
        Assert.Equal(["ssh", "kvm"], Assert.Single(options.People).May.ToArray());
        Assert.Equal(["+15551230001"], options.Messages.Sms!.To.ToArray());
        Assert.Equal(_folder.At("secrets/twilio_key"), options.Messages.Sms.SecretFile);
        Assert.Equal("alice", options.Messages.InnerUser);
        Assert.Equal("https://api.twilio.com/", options.Messages.Sms.BaseUrl.ToString());
    }

    [Theory]
    [InlineData("", 16_000_000)]
    [InlineData("record: 100 MB", 100_000_000)]
    [InlineData("record: no", 0)]
    public void Record_is_a_size_or_no(string line, long bytes) =>
        Assert.Equal(bytes, _folder.Load(_folder.Good + "\n" + line + "\n").OptionsOrThrow().RecordBytes);

    [Fact]
    public void Two_interfaces_are_wiring_A_and_need_no_address()
    {
        var options = _folder.Load(_folder.Good.Replace("{interface: eth0, address: 192.168.1.5}", "{interface: eth0, carrier: modem}", StringComparison.Ordinal)
            .Replace("{interface: eth0, address: 192.168.1.6}", "{interface: wwan0}", StringComparison.Ordinal)).OptionsOrThrow();

        Assert.Equal(Wiring.A, options.Wiring);
        Assert.True(options.Primary.CarrierIsModem);
        Assert.Null(options.Backup.Address);
    }

    [Theory]
    [InlineData("site: home", "site: home\nrecord: 5 potatoes", "record", "size such as 16 MB")]
    [InlineData("site: home", "site: home\nrecord: 1 kB", "record", "between 100 kB and 1 GB")]
    [InlineData("site: home", "site: home\nlogins: {log: jornal}", "logins.log", "journal, none, or the full path")]
    [InlineData("site: home", "site: home\nlogins: {log: journal, spool: spool}", "logins.spool", "none, or the full path")]
    [InlineData("site: home", "site: home\nlogins: {hook: /x}", "logins.hook", "is not")]
    [InlineData("site: home", "site: Home!", "site", "small letters")]
    [InlineData("site: home", "sites: home", "sites", "did you mean site?")]
    [InlineData("site: home", "", "site", "is missing")]
    [InlineData("address: 192.168.1.6", "address: 192.168.1.5", "uplinks.backup.address", "both are one line")]
    [InlineData(", address: 192.168.1.6", "", "uplinks.backup.address", "share eth0")]
    [InlineData("address: 192.168.1.6", "address: 192.168.1.6, carrier: modem", "uplinks.backup.carrier", "shares|share this interface")]
    [InlineData("address: 192.168.1.6", "adress: 192.168.1.6", "uplinks.backup.adress", "did you mean address?")]
    [InlineData("cloud: static", "cloud: digitalocean", "bastion.region", "is missing: DigitalOcean's short name")]
    [InlineData("cloud: static", "cloud: digitalocean", "bastion.secret", "is missing: the name of the secret")]
    [InlineData("cloud: static", "cloud: digitalocean\n  region: eu-central-1\n  secret: twilio_key", "bastion.region", "such as fra1")]
    [InlineData("cloud: static", "cloud: digitalocean\n  region: fra1\n  secret: twilio_key", "bastion.address", "is for cloud: static")]
    [InlineData("cloud: static", "cloud: digitalocean\n  region: fra1\n  secret: twilio_key\n  sizes: [t3.nano]", "bastion.sizes[1]", "Droplet size")]
    [InlineData("cloud: static", "cloud: ec2", "bastion.region", "is missing: the AWS region")]
    [InlineData("cloud: static", "cloud: ec2\n  region: Frankfurt", "bastion.region", "such as eu-central-1")]
    [InlineData("cloud: static", "cloud: ec2\n  region: eu-central-1", "bastion.address", "is for cloud: static")]
    [InlineData("cloud: static", "cloud: ec2\n  region: eu-central-1\n  socket: /run/x", "bastion.socket", "is for cloud: local")]
    [InlineData("cloud: static", "cloud: ec2\n  region: eu-central-1\n  sizes: [nano]", "bastion.sizes[1]", "instance type")]
    [InlineData("cloud: static", "cloud: ec2\n  region: eu-central-1\n  sizes: [t3.nano, t3.nano]", "bastion.sizes", "different sizes")]
    [InlineData("cloud: static", "cloud: ec2\n  region: eu-central-1\n  secret: no_such", "bastion.secret", "is not there")]
    [InlineData("cloud: static", "cloud: ec2\n  region: eu-central-1\n  secret: 9f86d081884c7d659a2feaa0c55ad015", "bastion.secret", "not the secret itself")]
    [InlineData("cloud: static", "cloud: ec2\n  region: eu-central-1\n  endpoint: \"http://example.net\"", "bastion.endpoint", "must be https")]
    [InlineData("cloud: static", "cloud: static\n  sizes: [t3.nano]", "bastion.sizes", "is for cloud: ec2 or digitalocean")]
    [InlineData("cloud: static", "cloud: static\n  secret: twilio_key", "bastion.secret", "is for cloud: ec2 or digitalocean")]
    [InlineData("cloud: static", "cloud: static\n  endpoint: \"https://example.net\"", "bastion.endpoint", "is for cloud: ec2 or digitalocean")]
    [InlineData("cloud: static", "cloud: sattic", "bastion.cloud", "did you mean static?")]
    [InlineData("cloud: static", "cloud: local", "bastion.address", "is for cloud: static")]
    [InlineData("address: 198.51.100.10", "address: bastion.example.net", "bastion.address", "must be an IP address")]
    [InlineData("cloud: static", "cloud: command", "bastion.commands", "is missing")]
    [InlineData("cloud: static", "cloud: static\n  commands: {describe: [/bin/a], start: [/bin/a], stop: [/bin/a]}", "bastion.commands", "is for cloud: command")]
    [InlineData("cloud: static", "cloud: command\n  commands: {describe: my-vm, start: [/bin/a]}", "bastion.commands.describe", "full path")]
    [InlineData("cloud: static", "cloud: command\n  commands: {describe: my-vm, start: [/bin/a]}", "bastion.commands.stop", "is missing")]
    [InlineData("cloud: static", "cloud: static\n  ports: [22, 22]", "bastion.ports", "different ports")]
    [InlineData("cloud: static", "cloud: static\n  ports: [22016]", "bastion.ports", "inside the site's block")]
    [InlineData("cloud: static", "cloud: static\n  agent_port: 22016", "bastion.agent_port", "inside the site's block")]
    [InlineData("cloud: static", "cloud: static\n  region: eu", "bastion.region", "is for cloud: ec2 or digitalocean")]
    [InlineData("kvm: 192.168.1.21:443", "kvm: 192.168.1.21", "services.kvm", "HOST:PORT")]
    [InlineData("kvm: 192.168.1.21:443", "kvm: {to: \"192.168.1.21:443\", port: 22016}", "services.kvm.port", "loop probe")]
    [InlineData("kvm: 192.168.1.21:443", "kvm: {to: \"192.168.1.21:443\", port: 80}", "services.kvm.port", "must be in the site's block")]
    [InlineData("kvm: 192.168.1.21:443", "kvm: {port: 22003}", "services.kvm.to", "is missing")]
    [InlineData("text: \"+15551230001\"", "text: \"5551230001\"", "people.alice.text", "+ and country")]
    [InlineData("text: \"+15551230001\"", "text: \"+15551230001\"\n    may: [ssh, kvn]", "people.alice.may[2]", "did you mean kvm?")]
    [InlineData("    text: \"+15551230001\"\n", "", "messages.sms.to", "nobody would be told")]
    [InlineData("secret: twilio_key", "secret: other_key", "messages.sms.secret", "is not there")]
    [InlineData("secret: twilio_key", "secret: 9f86d081884c7d659a2feaa0c55ad015", "messages.sms.secret", "not the secret itself")]
    [InlineData("secret: twilio_key", "secret: twilio_key, base_url: \"http://example.net\"", "messages.sms.base_url", "must be https")]
    [InlineData("from: \"+15551230009\"", "from: \"+15551230001\"", "messages.sms.from", "cannot write to itself")]
    [InlineData("messages:\n", "messages:\n  telegram: {chat: 42, secret: no_such}\n", "messages.telegram.secret", "is not there")]
    [InlineData("messages:\n", "messages:\n  telegram: {chat: \"@alice\", secret: twilio_key}\n", "messages.telegram.chat", "must be a chat's number")]
    [InlineData("messages:\n", "messages:\n  telegram: {secret: twilio_key}\n", "messages.telegram.chat", "is missing")]
    [InlineData("messages:\n", "messages:\n  order: [telegram, sms]\n", "messages.order[1]", "is not configured: sms is")]
    [InlineData("messages:\n", "messages:\n  order: [sms, sms]\n", "messages.order", "stands there twice")]
    [InlineData("messages:\n", "messages:\n  order: [sms]\n  telegram: {chat: 42, secret: twilio_key}\n", "messages.order", "would never be used")]
    [InlineData("messages:\n", "messages:\n  quiet: at night\n", "messages.quiet", "such as 23:00-07:00")]
    [InlineData("messages:\n", "messages:\n  mail: {host: a.example, from: home@a.example, to: nobody}\n", "messages.mail.to", "must be a mail address")]
    [InlineData("messages:\n", "messages:\n  webhook: {shape: slak, secret: twilio_key}\n", "messages.webhook.shape", "must be one of")]
    [InlineData("messages:\n", "messages:\n  webhook: {shape: json}\n", "messages.webhook.shape", "where to send it")]
    [InlineData("messages:\n", "messages:\n  webhook: {shape: pagerduty, url: \"https://a.example/\"}\n", "messages.webhook.shape", "needs a key")]
    [InlineData("messages:\n", "messages:\n  webhook: {shape: json, url: \"http://a.example/\"}\n", "messages.webhook.url", "must be https")]
    [InlineData("messages:\n", "messages:\n  webhook: {shape: own, url: \"https://a.example/\", template: '{\"a\": \"{txt}\"}'}\n", "messages.webhook.template", "has no field {txt}")]
    [InlineData("messages:\n", "messages:\n  webhook: {shape: own, url: \"https://a.example/\"}\n", "messages.webhook.template", "is missing")]
    [InlineData("messages:\n", "messages:\n  webhook: {shape: json, url: \"https://a.example/\", template: '{}'}\n", "messages.webhook.template", "is for shape own")]
    [InlineData("    text: \"+15551230001\"\n", "    text: \"+15551230001\"\n    telegram: 42\n", "messages.telegram", "needs the bot")]
    [InlineData("messages:", "drill: {every: 4 weeks}\nmessages:", "drill", "not a key that is known")]
    [InlineData("messages:", "outage: {confirm_after: 8}\nmessages:", "outage.confirm_after", "with its unit")]
    [InlineData("messages:", "outage: {preset: quick}\nmessages:", "outage.preset", "must be one of")]
    [InlineData("messages:", "witnesses: {dns_a: 8.8.8.8}\nmessages:", "witnesses.dns_b", "two operators")]
    [InlineData("messages:", "witnesses: {tls_a: {name: a.example}}\nmessages:", "witnesses.tls_a.addresses", "is missing")]
    [InlineData("messages:", "witnesses: {tls_a: {name: a.example, addresses: [192.0.2.1], ca: /nowhere/ca.pem}}\nmessages:", "witnesses.tls_a.ca", "is not there")]
    [InlineData("messages:", "witnesses: {dns_a: [9.9.9.9, \"2620:fe::fe\"], dns_b: [8.8.8.8, \"2620:fe::fe\"]}\nmessages:", "witnesses.dns_b", "two operators")]
    [InlineData("messages:", "witnesses: {http: \"https://a.example/\"}\nmessages:", "witnesses.http", "plain http")]
    [InlineData("messages:", "witnesses: {stun: [a.example, \"b.example:0\"]}\nmessages:", "witnesses.stun[2]", "must be HOST")]
    [InlineData("messages:", "witnesses: {stun: [a.example, off]}\nmessages:", "witnesses.stun", "stands alone")]
    [InlineData("messages:", "witnesses: {whoami: myip.example}\nmessages:", "witnesses.whoami", "NAME@SERVER")]
    [InlineData("messages:", "witnesses: {whoami: \"my_ip@b.example\"}\nmessages:", "witnesses.whoami", "NAME@SERVER")]
    [InlineData("messages:", "witnesses: {whoami: \"@b.example\"}\nmessages:", "witnesses.whoami", "NAME@SERVER")]
    [InlineData("messages:", "witnesses: {probe_name_has_wildcard: maybe}\nmessages:", "witnesses.probe_name_has_wildcard", "must be one of")]
    [InlineData("messages:", "runtime_directory: run\nmessages:", "runtime_directory", "full path")]
    public void Mistake_is_told_with_key_and_cure(string from, string to, string key, string reason)
    {
        var text = _folder.Good.Replace(from, to, StringComparison.Ordinal);
        Assert.NotEqual(_folder.Good, text);

        var errors = _folder.Errors(text);

        Assert.True(errors.Any(e => e.Key == key && reason.Split('|').Any(r => e.Reason.Contains(r, StringComparison.Ordinal))), string.Join('\n', errors.Select(e => e.ToLine())));
    }

    [Fact]
    public void Channels_order_and_quiet_hours_are_read_and_everybody_has_a_way()
    {
        var messages = Loaded(_folder.Good
            .Replace("messages:\n", "messages:\n  telegram: {chat: -100, secret: twilio_key}\n  webhook: {shape: ntfy, secret: twilio_key}\n  order: [telegram, sms, webhook]\n  quiet: 23:00-07:00\n", StringComparison.Ordinal)
            .Replace("    text: \"+15551230001\"\n", "    text: \"+15551230001\"\n    telegram: 42\n", StringComparison.Ordinal));

        Assert.Equal(["telegram", "sms", "webhook"], messages.Messages.Order.AsEnumerable());
        Assert.Equal("23:00-07:00", messages.Messages.Channels.Quiet?.ToString());
        Assert.EndsWith("/secrets/twilio_key", messages.Messages.Channels.Telegram!.Gateway.SecretFile, StringComparison.Ordinal);
        Assert.Equal(
            [("telegram", "42", "+15551230001", 0), ("sms", "+15551230001", "+15551230001", 1), ("webhook", "webhook", "*", 2)],
            InternalHost.Messages.OutageAlerts.Everybody(messages).Select(r => (r.Channel, r.Recipient, r.Person, r.Rank)));
    }

    private SiteOptions Loaded(string text) => _folder.Load(text).OptionsOrThrow();

    [Fact]
    public void One_channel_only_is_warned_of()
    {
        Assert.Contains("sms is the only channel", SiteSummary.Render(Loaded(_folder.Good)), StringComparison.Ordinal);

        var two = SiteSummary.Render(Loaded(_folder.Good.Replace("messages:\n", "messages:\n  telegram: {chat: 42, secret: twilio_key}\n", StringComparison.Ordinal)));
        Assert.DoesNotContain("only channel", two, StringComparison.Ordinal);
        Assert.Contains("telegram (accepted there counts as told), then sms to 1 number by api.twilio.com", two, StringComparison.Ordinal);
    }

    [Fact]
    public void Witnesses_of_both_families_and_of_the_way_out_are_read()
    {
        var witnesses = _folder.Load(_folder.Good.Replace("messages:", """
            witnesses:
              dns_a: [9.9.9.9, "2620:fe::fe"]
              isp_dns: 192.168.1.1
              probe_name: probe.example.net
              probe_name_has_wildcard: yes
              http: http://portal.example.net/204
              stun: [stun.example.net, "stun.example.org:19302", 192.0.2.4, "[2001:db8::4]:3479"]
              whoami: ["myip.example@192.0.2.53", "o-o.example/TXT@ns.example:5353"]
            messages:
            """, StringComparison.Ordinal)).OptionsOrThrow().Witnesses;

        Assert.Equal(["9.9.9.9:53", "[2620:fe::fe]:53"], witnesses.DnsA.Select(e => e.ToString()));
        Assert.Equal(["192.168.1.1:53"], witnesses.IspDns.Select(e => e.ToString()));
        Assert.True(witnesses.ProbeNameHasWildcard);
        Assert.Equal("http://portal.example.net/204", witnesses.Http!.ToString());
        Assert.Equal([("stun.example.net", 3478), ("stun.example.org", 19302), ("192.0.2.4", 3478), ("2001:db8::4", 3479)], witnesses.Stun.Select(s => (s.Host, s.Port)));
        Assert.Equal(
            [new WhoAmI("myip.example", false, new DnsEndPoint("192.0.2.53", 53)), new WhoAmI("o-o.example", true, new DnsEndPoint("ns.example", 5353))], witnesses.WhoAmI.ToArray());
    }

    [Fact]
    public void Questions_about_the_way_out_have_defaults_and_can_be_off()
    {
        var usual = _folder.Load(_folder.Good).OptionsOrThrow().Witnesses;
        var off = _folder.Load(_folder.Good.Replace("messages:", "witnesses: {http: off, stun: off, whoami: off}\nmessages:", StringComparison.Ordinal)).OptionsOrThrow().Witnesses;

        Assert.NotNull(usual.Http);
        Assert.Equal((2, 2), (usual.Stun.Length, usual.WhoAmI.Length));
        Assert.Contains(usual.DnsA, e => e.AddressFamily == System.Net.Sockets.AddressFamily.InterNetworkV6);
        Assert.Null(off.Http);
        Assert.Empty(off.Stun);
        Assert.Empty(off.WhoAmI);
        Assert.NotEqual(usual, off);
        Assert.Equal(usual, _folder.Load(_folder.Good).OptionsOrThrow().Witnesses);
    }

    [Fact]
    public void Ec2_has_a_region_sizes_and_a_key_of_its_own()
    {
        var options = _folder.Load(_folder.Good.Replace(
            "cloud: static\n  address: 198.51.100.10", "cloud: ec2\n  region: eu-central-1\n  secret: twilio_key\n  endpoint: \"http://127.0.0.1:4566/\"", StringComparison.Ordinal)).OptionsOrThrow();

        Assert.Equal(new CloudApiOptions("eu-central-1", ["t3.nano", "t3a.nano", "t3.micro"], _folder.At("secrets/twilio_key"), new Uri("http://127.0.0.1:4566/")), options.Bastion.Api);
        Assert.Equal("bastion-sync", options.Bastion.SyncUser);
        Assert.Contains("ec2 in eu-central-1 by 127.0.0.1:4566, t3.nano or t3a.nano or t3.micro, ports 49022 then 443", SiteSummary.Render(options));
    }

    [Fact]
    public void Droplets_have_a_region_sizes_and_a_token()
    {
        var options = _folder.Load(_folder.Good.Replace(
            "cloud: static\n  address: 198.51.100.10", "cloud: digitalocean\n  region: fra1\n  secret: twilio_key", StringComparison.Ordinal)).OptionsOrThrow();

        Assert.Equal(new CloudApiOptions("fra1", ["s-1vcpu-512mb-10gb", "s-1vcpu-1gb"], _folder.At("secrets/twilio_key"), null), options.Bastion.Api);
        Assert.Contains("digitalocean in fra1, s-1vcpu-512mb-10gb or s-1vcpu-1gb, ports 49022 then 443", SiteSummary.Render(options));
    }

    [Fact]
    public void Commands_keep_program_and_arguments_apart()
    {
        var options = _folder.Load(_folder.Good.Replace("cloud: static\n  address: 198.51.100.10", "cloud: command\n  commands: {describe: [/bin/vm, \"a b\", $HOME], start: /bin/start, stop: [/bin/vm, stop]}", StringComparison.Ordinal)).OptionsOrThrow();

        Assert.Equal(["/bin/vm", "a b", "$HOME"], options.Bastion.Commands!.Describe.ToArray());
        Assert.Equal(["/bin/start"], options.Bastion.Commands.Start.ToArray());
    }

    [Fact]
    public void Every_mistake_is_told_at_once()
    {
        var errors = _folder.Errors("""
            site: "a b"
            uplinks: {primary: {interface: eth0}}
            bastion: {cloud: moon, ports: [0]}
            services: [ssh]
            people: {alice: {txt: 1}}
            messages: {sms: {}}
            nonsense: 1

            """);

        Assert.Subset(
            errors.Select(e => e.Key).ToHashSet(),
            new HashSet<string>
            {
                "site", "uplinks.backup", "bastion.cloud", "bastion.ports[1]", "bastion.host_keys", "bastion.key", "services", "people.alice.txt",
                "messages.sms.account", "messages.sms.secret", "messages.sms.from", "messages.sms.to", "nonsense",
            });
        Assert.All(errors, e => Assert.True(e.Line > 0, e.ToLine()));
    }

    [Fact]
    public void Key_file_that_others_may_read_is_refused()
    {
        _folder.Write("keys/bastion", "k", UnixFileMode.UserRead | UnixFileMode.GroupRead);

        Assert.Contains("mode 0440", Assert.Single(_folder.Errors(_folder.Good)).Reason, StringComparison.Ordinal);
    }

    [Fact]
    public void Secret_that_others_may_read_is_refused_and_the_services_group_may()
    {
        _folder.Write("secrets/twilio_key", "k", UnixFileMode.UserRead | UnixFileMode.GroupRead);
        Assert.Empty(_folder.Errors(_folder.Good));

        _folder.Write("secrets/twilio_key", "k", UnixFileMode.UserRead | UnixFileMode.OtherRead);
        Assert.Contains("mode 0404", Assert.Single(_folder.Errors(_folder.Good)).Reason, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("secret: twilio_key", "secret: 9f86d081884c7d659a2feaa0c55ad015")]
    [InlineData("secret: twilio_key", "secret: Hunter2!")]
    [InlineData("site: home", "site: home\npassword: Hunter2!")]
    public void Inline_secret_in_a_readable_file_is_told_and_never_shown(string from, string to)
    {
        var errors = _folder.Load(_folder.Good.Replace(from, to, StringComparison.Ordinal), UnixFileMode.UserRead | UnixFileMode.OtherRead).Errors;

        Assert.Contains(errors, e => e.Key == "(file)" && e.Value == "0404");
        Assert.All(errors, e => Assert.DoesNotContain("9f86", e.ToLine(), StringComparison.Ordinal));
        Assert.All(errors, e => Assert.DoesNotContain("unter2", e.ToLine(), StringComparison.Ordinal));
    }

    [Fact]
    public void Host_keys_may_be_a_file()
    {
        var options = _folder.Load(_folder.Good.Replace($"host_keys: {SiteFolder.HostKey}", $"host_keys: {_folder.At("keys/bastion_host.pub")}", StringComparison.Ordinal)).OptionsOrThrow();

        Assert.Equal([SiteFolder.HostKey], options.Bastion.HostKeys.ToArray());
    }

    [Theory]
    [InlineData("/nowhere/at/all.yaml", "is not there")]
    [InlineData("/", "is a folder")]
    [InlineData("/dev/zero", "256 KiB")]
    [InlineData("/dev/null", "is empty")]
    public void File_that_is_none_is_told(string path, string reason)
    {
        Assert.Contains(reason, Assert.Single(SiteConfiguration.Load(path).Errors).Reason, StringComparison.Ordinal);
    }

    [Fact]
    public void File_that_is_not_text_is_told()
    {
        File.WriteAllBytes(_folder.At("x.yaml"), [0x73, 0xff, 0xfe, 0x0a]);

        Assert.Contains("UTF-8", Assert.Single(SiteConfiguration.Load(_folder.At("x.yaml")).Errors).Reason, StringComparison.Ordinal);
    }

    [Fact]
    public void Control_socket_is_found_even_in_a_file_with_mistakes()
    {
        _folder.Write("bad.yaml", "site: '!!'\nruntime_directory: /run/elsewhere\nnonsense: [\n  1]\n");

        Assert.Equal("/run/elsewhere/control.sock", SiteConfiguration.ControlSocketOf(_folder.At("bad.yaml")));
        Assert.Equal("/run/internalhost/control.sock", SiteConfiguration.ControlSocketOf("/nowhere.yaml"));
    }

    [Fact]
    public void Any_slip_in_a_good_file_never_throws()
    {
        const string Slips = "\t\n :-[]{}'\"&*!|>%@`#?,xA0.+/";
        var random = new Random(11);
        for (var round = 0; round < 1_500; round++)
        {
            var at = random.Next(_folder.Good.Length);
            var text = _folder.Good.Remove(at, 1).Insert(at, Slips[random.Next(Slips.Length)].ToString());

            var reading = SiteConfiguration.Parse(text);

            Assert.True(reading.Options is not null || reading.Errors.Count > 0);
            Assert.All(reading.Errors, e => Assert.Equal(3, e.ToLine().Split('\t').Length));
        }
    }
}
