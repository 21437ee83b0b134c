using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net;
using System.Text.Json.Nodes;
using Common.Processes;
using Integration.Tests.Cloud;
using Lab.World;
using Testing;

namespace Integration.Tests.Alerts;

/// <summary>A real agent whose resolver is the lab's (in a mount namespace), asked for a test by each channel while their names fail in every way.</summary>
public sealed class ChannelsByNameTests : IDisposable
{
    private const string Token = "123456:AbCdEfGhIjKlMnOpQrStUvWxYz-_0123456";
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(300);
    private static readonly string[] Names = ["chat.lab.test", "hook.lab.test", "mail.lab.test"];
    private static readonly string[] ProxyVariables = ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"];

    private readonly OwnPlace _place = new();
    private readonly SystemProcessLauncher _launcher = new(TimeProvider.System);
    private readonly ConcurrentQueue<string> _said = new();

    public void Dispose() => _place.Dispose();

    [NeedsFact(Need.Root | Need.Ipv6)]
    public async Task Names_that_hang_are_unknown_or_have_a_dead_family_delay_a_test_of_every_channel_and_no_proxy_sees_it()
    {
        using var authority = LabAuthority.Create();
        using var certificate = authority.Issue(Names);
        authority.WriteRoot(_place.File("ca.pem"));
        await using var dns = DnsServer.Start(_place.EndPoint(53));
        dns.Behaviour = new DnsBehaviour { UdpSilent = true, TcpSilent = true };
        await using var web = ScriptedServer.Start(certificate);
        web.Otherwise = ScriptedServer.Answer(200, """{"ok":true,"result":{"message_id":42}}""");
        await using var mail = SmtpServer.Start(certificate);
        await using var sms = await TwilioGateway.StartAsync(new TwilioAccount());
        await using var proxy = ScriptedServer.Start();
        using var noWeb = await BlackHole.StartAsync(new IPEndPoint(IPAddress.IPv6Loopback, web.BaseUrl.Port));
        using var noMail = await BlackHole.StartAsync(new IPEndPoint(IPAddress.IPv6Loopback, mail.Port));
        var port = OwnPlace.FreePort();
        Configure(port, web.BaseUrl.Port, mail.Port, sms);
        await using var agent = StartAgent(proxy.BaseUrl);
        await UntilAsync(() => _said.Any(l => l.Contains("logins are seen", StringComparison.Ordinal)), "the agent is up");

        var test = _launcher.RunAsync(Bastion("alerts", "test", "--port", $"{port}", "--wait", "240"), new CancellationTokenSource(Patience).Token);
        await AskedAsync(dns, "no answer");
        dns.Behaviour = new DnsBehaviour();
        await AskedAsync(dns, "no such name");
        foreach (var name in Names)
        {
            dns.Zone.Add(name, IPAddress.IPv6Loopback, IPAddress.Loopback);
        }

        var result = await test;
        Assert.True(result.Ok, $"{result.Output}\n{result.Error}\n{string.Join('\n', _said)}");
        Assert.Contains("4 of 4 confirmed", result.Output, StringComparison.Ordinal);
        Assert.Equal("home bastion: test by sms. Nothing has happened.", Assert.Single(sms.Messages).Body.Split(" #")[0]);
        Assert.Single(web.Requests, r => r.Path == $"POST /bot{Token}/sendMessage" && r.Body.Contains("home bastion: test by telegram. Nothing has happened.", StringComparison.Ordinal));
        Assert.Single(web.Requests, r => r.Path == "POST /told" && r.Body.Contains("home bastion: test by webhook. Nothing has happened.", StringComparison.Ordinal));
        Assert.Contains("home bastion: test by mail. Nothing has happened.", Assert.Single(mail.Taken).Data, StringComparison.Ordinal);
        Assert.Empty(proxy.Requests);
        await agent.StopAsync();
    }

    /// <summary>Each name was asked for, from now on.</summary>
    private Task AskedAsync(DnsServer dns, string what)
    {
        var before = dns.Seen.Count;
        return UntilAsync(() => Names.All(n => dns.Seen.Skip(before).Any(s => string.Equals(s.Name, n, StringComparison.OrdinalIgnoreCase))), $"each name got {what}");
    }

    private async Task UntilAsync(Func<bool> condition, string what)
    {
        for (var began = Stopwatch.GetTimestamp(); !condition(); await Task.Delay(TimeSpan.FromMilliseconds(20)))
        {
            Assert.True(Stopwatch.GetElapsedTime(began) < Patience, $"not in time: {what}. The agent said:\n{string.Join('\n', _said)}");
        }
    }

    private IChildProcess StartAgent(Uri proxy)
    {
        File.WriteAllText(_place.File("resolv.conf"), $"nameserver {_place.Address()}\noptions timeout:1 attempts:1\n");
        File.WriteAllText(_place.File("nsswitch.conf"), "passwd: files\ngroup: files\nhosts: dns\n");
        var agent = Bastion("agent", "--config", _place.File("agent.json"));
        const string Script = "mount --bind \"$1/resolv.conf\" /etc/resolv.conf && mount --bind \"$1/nsswitch.conf\" /etc/nsswitch.conf && shift && exec \"$@\"";
        return _launcher.Start(
            new ProcessSpec("unshare", ["--mount", "--propagation", "private", "sh", "-c", Script, "sh", _place.Folder, agent.Program, .. agent.Arguments])
            {
                Environment = ProxyVariables.ToDictionary(v => v, _ => proxy.ToString(), StringComparer.Ordinal),
            },
            (_, line) => _said.Enqueue(line));
    }

    private static ProcessSpec Bastion(params string[] words) => new("dotnet", [Path.Combine(AppContext.BaseDirectory, "bastion.dll"), .. words]);

    private void Configure(int port, int web, int mail, TwilioGateway sms)
    {
        File.WriteAllText(_place.File("auth.log"), "");
        foreach (var (name, secret) in new[] { ("twilio", sms.Account.Secret), ("telegram", Token), ("mail", "correct") })
        {
            Write(name, secret + "\n");
        }

        var ca = _place.File("ca.pem");
        Write("agent.json", new JsonObject
        {
            ["site"] = "home",
            ["log"] = _place.File("auth.log"),
            ["identities"] = new JsonArray(),
            ["agent_port"] = port,
            ["state_directory"] = _place.File("state"),
            ["sshd_ports"] = new JsonArray(49022),
            ["nologin_path"] = _place.File("nologin"),
            ["private"] = true,
            ["sms"] = new JsonObject
            {
                ["base_url"] = sms.BaseUrl.ToString(),
                ["account"] = sms.Account.Sid,
                ["key_name"] = sms.Account.KeyName,
                ["secret_file"] = _place.File("twilio"),
                ["from"] = sms.Account.Number,
                ["to"] = new JsonArray("+15550100001"),
            },
            ["telegram"] = new JsonObject { ["chat"] = "42", ["base_url"] = $"https://{Names[0]}:{web}", ["secret_file"] = _place.File("telegram"), ["ca_file"] = ca },
            ["webhook"] = new JsonObject { ["shape"] = "json", ["url"] = $"https://{Names[1]}:{web}/told", ["ca_file"] = ca },
            ["mail"] = new JsonObject
            {
                ["host"] = Names[2],
                ["port"] = mail,
                ["user"] = "home",
                ["secret_file"] = _place.File("mail"),
                ["from"] = "home@example.com",
                ["to"] = new JsonArray("alice@example.net"),
                ["ca_file"] = ca,
            },
        }.ToJsonString());
    }

    private void Write(string name, string text)
    {
        File.WriteAllText(_place.File(name), text);
        File.SetUnixFileMode(_place.File(name), OwnerOnly);
    }
}
