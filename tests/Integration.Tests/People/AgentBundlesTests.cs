using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Nodes;
using Bastion.People;
using Common.Processes;
using Common.Sync;
using Integration.Tests.Cloud;
using Lab.World;
using Testing;

namespace Integration.Tests.People;

/// <summary>The agent as a real process with settings that name nobody: the bundles of its folder say who is told, and by what.</summary>
public sealed class AgentBundlesTests : IAsyncLifetime
{
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly OwnPlace _place = new();
    private readonly SystemProcessLauncher _launcher = new(TimeProvider.System);
    private readonly Dictionary<string, (string Line, string Fingerprint)> _keys = new(StringComparer.Ordinal);
    private readonly int _port = OwnPlace.FreePort();
    private TwilioGateway _gateway = null!;
    private IChildProcess? _agent;
    private string _said = "";
    private long _number;
    private int _logins;

    public async Task InitializeAsync()
    {
        _gateway = await TwilioGateway.StartAsync(new TwilioAccount());
        Directory.CreateDirectory(_place.File("run"));
        Directory.CreateDirectory(_place.File("sites"));
        File.WriteAllText(_place.File("auth.log"), "");
        foreach (var name in (string[])["alice", "bob", "stranger"])
        {
            _keys[name] = NewKey();
        }

        var settings = new JsonObject
        {
            ["site"] = "bastion",
            ["log"] = _place.File("auth.log"),
            ["identities"] = new JsonArray(),
            ["agent_port"] = _port,
            ["state_directory"] = _place.File("state"),
            ["nologin_path"] = _place.File("run/nologin"),
            ["private"] = true,
            ["bundles"] = _place.File("sites"),
        };
        File.WriteAllText(_place.File("agent.json"), settings.ToJsonString());
        File.SetUnixFileMode(_place.File("agent.json"), OwnerOnly);
        _agent = _launcher.Start(new ProcessSpec("dotnet", [Path.Combine(AppContext.BaseDirectory, "bastion.dll"), "agent", "--config", _place.File("agent.json")]), (_, line) => _said += line + "\n");
        await UntilAsync(AnswersAsync, "the agent answers");
    }

    public async Task DisposeAsync()
    {
        if (_agent is not null)
        {
            await _agent.StopAsync();
            await _agent.DisposeAsync();
        }

        await _gateway.DisposeAsync();
        _place.Dispose();
    }

    [Fact]
    public async Task What_was_seen_before_the_first_bundle_is_told_by_it_and_a_second_site_hears_of_its_own_people_only()
    {
        Login("alice", "alice");
        await UntilAsync(() => Task.FromResult(_said.Contains("login #", StringComparison.Ordinal)), "the login is recorded");
        Assert.Empty(_gateway.Messages);
        Assert.DoesNotContain("will not arrive", _said);

        Put("home", "alice", "+15550100001");
        await UntilAsync(() => Task.FromResult(Bodies().Any(b => b.StartsWith("bastion LOGIN", StringComparison.Ordinal))), "the login of before is told");
        Login("alice", "alice");
        Login("stranger", "alice");
        await UntilAsync(() => Task.FromResult(To("+15550100001").Any(b => b.StartsWith("home LOGIN", StringComparison.Ordinal))), "a login is told in the site's name");

        Put("office", "bob", "+15550100002");
        await UntilAsync(() => Task.FromResult(Directory.Exists(_place.File("run/secrets/office"))), "the agent has the second bundle");
        Login("bob", "bob");
        await UntilAsync(() => Task.FromResult(To("+15550100002").Any(b => b.StartsWith("office LOGIN", StringComparison.Ordinal) && b.Contains("bob", StringComparison.Ordinal))), "the second site is told");
        Login("alice", "alice", "203.0.113.9");
        await UntilAsync(() => Task.FromResult(To("+15550100001").Any(b => b.Contains("203.0.113.9", StringComparison.Ordinal))), "the first site is told");
        Login("stranger", "alice", "203.0.113.77");
        await UntilAsync(() => Task.FromResult(Bodies().Count(b => b.Contains("203.0.113.77", StringComparison.Ordinal)) == 2), "everybody is told of a stranger");

        Assert.DoesNotContain(To("+15550100001"), b => b.Contains("bob", StringComparison.Ordinal));
        Assert.DoesNotContain(To("+15550100002"), b => b.Contains("203.0.113.9.", StringComparison.Ordinal) || b.Contains("alice, phone", StringComparison.Ordinal));
        Assert.DoesNotContain("will not arrive", _said);
        Assert.Equal(OwnerOnly, File.GetUnixFileMode(_place.File("run/secrets/office/sms_secret")));
        Assert.Equal(["home", "office"], SitesFile.Read(_place.File("run/sites.json"))!.Value.Select(s => s.Label));
        Assert.DoesNotContain(_gateway.Account.Secret, _said);
        await UntilAsync(AnswersAsync, "the agent still answers");
    }

    private IEnumerable<string> Bodies() => _gateway.Messages.Select(m => m.Body);

    private IEnumerable<string> To(string number) => _gateway.Messages.Where(m => m.To == number).Select(m => m.Body);

    /// <summary>As sshd writes it.</summary>
    private void Login(string key, string account, string from = "198.51.100.7")
    {
        var at = DateTimeOffset.Now.ToString("MMM d HH:mm:ss", CultureInfo.InvariantCulture);
        File.AppendAllText(_place.File("auth.log"), $"{at[..4]}{at[4..].PadLeft(11)} host sshd[{5000 + ++_logins}]: Accepted publickey for {account} from {from} port {40000 + _logins} ssh2: ED25519 {_keys[key].Fingerprint}\n");
    }

    private void Put(string site, string person, string number)
    {
        var bundle = new Bundle(Bundle.CurrentFormat, site, ++_number)
        {
            People = [new BundlePerson(person, [], [new BundleDevice("phone", _keys[person].Line)]) { Text = number }],
            Services = [new BundleService("ssh", 22001)],
            Messages = new BundleMessages
            {
                Channels = new Dictionary<string, IReadOnlyDictionary<string, string>>
                {
                    ["sms"] = new Dictionary<string, string>
                    {
                        ["base_url"] = _gateway.BaseUrl.ToString(),
                        ["account"] = _gateway.Account.Sid,
                        ["key_name"] = _gateway.Account.KeyName,
                        ["from"] = _gateway.Account.Number,
                        ["to"] = number,
                        ["secret"] = "sms_secret",
                    },
                },
            },
            Secrets = new Dictionary<string, string> { ["sms_secret"] = _gateway.Account.Secret },
        };
        new BundleFolder(_place.File("sites")).Put(site, JsonSerializer.Serialize(bundle, BundleJson.Default.Bundle));
    }

    private async Task<bool> AnswersAsync()
    {
        Assert.False(_agent!.Exited.IsCompleted, _said);
        try
        {
            using var tcp = new TcpClient();
            await tcp.ConnectAsync(IPAddress.Loopback, _port);
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }

    private async Task UntilAsync(Func<Task<bool>> condition, string what)
    {
        for (var began = Stopwatch.GetTimestamp(); !await condition();)
        {
            if (Stopwatch.GetElapsedTime(began) > Patience)
            {
                throw new TimeoutException($"not in time: {what}. Told:\n{string.Join('\n', _gateway.Messages.Select(m => $"{m.To} {m.Body}"))}\nThe agent said:\n{_said}");
            }

            await Task.Delay(TimeSpan.FromMilliseconds(50));
        }
    }

    private static (string Line, string Fingerprint) NewKey()
    {
        byte[] blob = [0, 0, 0, 11, .. "ssh-ed25519"u8, 0, 0, 0, 32, .. RandomNumberGenerator.GetBytes(32)];
        return ($"ssh-ed25519 {Convert.ToBase64String(blob)}", $"SHA256:{Convert.ToBase64String(SHA256.HashData(blob)).TrimEnd('=')}");
    }
}
