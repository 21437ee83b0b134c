using System.Collections.Concurrent;
using System.Net.Sockets;
using System.Text;
using Common.Processes;
using Common.Sync;
using Integration.Tests.Tunnel;
using InternalHost.Configuration;
using InternalHost.Sync;
using InternalHost.Tunnel;
using Testing;

namespace Integration.Tests.Sync;

/// <summary>A bundle goes by real ssh to a real sshd, whose forced command answers well, badly or not at all.</summary>
public sealed class SyncClientTests : IAsyncLifetime
{
    private const string Secret = "s3cr3t-of-this-test-7d1f";
    private static readonly TimeSpan Impatience = TimeSpan.FromSeconds(4);

    private TestSshd _sshd = null!;
    private SyncStandIn _standIn = null!;
    private BastionOptions _bastion = null!;
    private long _carried;

    public async Task InitializeAsync()
    {
        if (Needs.Missing(Need.Ssh | Need.Sshd) is not null)
        {
            return;
        }

        _sshd = await TestSshd.StartAsync();
        _standIn = new SyncStandIn(Path.Combine(_sshd.Folder, "sync"));
        _sshd.Permit("key", $"restrict,command=\"{_standIn.Program}\"");
        _bastion = _sshd.Options with { SyncUser = Environment.UserName };
    }

    public async Task DisposeAsync()
    {
        if (_sshd is not null)
        {
            await _sshd.DisposeAsync();
        }
    }

    [NeedsFact(Need.Ssh | Need.Sshd)]
    public async Task Bundle_arrives_as_it_is_and_is_verified_by_the_systems_own_ssh_keygen()
    {
        var bundle = Encoding.UTF8.GetBytes($$"""{"text":"{{new string('é', 200_000)}}"}""");

        var answer = await Client().SendAsync(_sshd.Address, bundle, 7, default);

        Assert.Equal(new SyncAnswer(true, 7, null), answer);
        Assert.Equal(Encoding.UTF8.GetString(bundle), await _standIn.VerifiedAsync(Assert.Single(_standIn.Received), _sshd.HostKey("key")));
        Assert.InRange(_carried, bundle.Length, bundle.Length * 2);
        await Assert.ThrowsAsync<Xunit.Sdk.EqualException>(() => _standIn.VerifiedAsync(_standIn.Received[0], _sshd.HostKey("key2")));
    }

    [NeedsTheory(Need.Ssh | Need.Sshd)]
    [InlineData("refused", SyncFailure.Invalid, "port 5 is outside the block")]
    [InlineData("cut", SyncFailure.Garbled, "no answer of a bastion")]
    [InlineData("garbage", SyncFailure.Garbled, "Welcome to this machine!")]
    [InlineData("silent", SyncFailure.NoAnswer, "")]
    [InlineData("absent", SyncFailure.NoAnswer, "bastion: not found")]
    [InlineData("hanging", SyncFailure.NoAnswer, "no answer within")]
    [InlineData("flood", SyncFailure.NoAnswer, "no answer within")]
    internal async Task Answer_that_is_no_yes_has_a_reason(string way, SyncFailure failure, string detail)
    {
        _standIn.Answer(way);

        var answer = await Client(way is "hanging" or "flood" ? Impatience : null).SendAsync(_sshd.Address, "{}"u8.ToArray(), 7, default);

        Assert.False(answer.Accepted);
        Assert.Equal(failure, answer.Problem!.Failure);
        Assert.Contains(detail, answer.Problem.Detail, StringComparison.Ordinal);
    }

    [NeedsFact(Need.Ssh | Need.Sshd)]
    public async Task Host_that_does_not_let_us_in_or_is_another_gets_nothing()
    {
        var other = await Client(bastion: _bastion with { HostKeys = [_sshd.HostKey("host2")] }).SendAsync(_sshd.Address, "{}"u8.ToArray(), 7, default);
        _sshd.Permit("key2");
        var denied = await Client().SendAsync(_sshd.Address, "{}"u8.ToArray(), 7, default);
        var unsigned = await Client(bastion: _bastion with { KeyFile = "/dev/null" }).SendAsync(_sshd.Address, "{}"u8.ToArray(), 7, default);
        _sshd.Kill(listener: true);
        var nobody = await Client().SendAsync(_sshd.Address, "{}"u8.ToArray(), 7, default);

        Assert.Equal(
            [SyncFailure.HostKeyChanged, SyncFailure.Denied, SyncFailure.NotSignedHere, SyncFailure.Unreachable],
            new[] { other, denied, unsigned, nobody }.Select(a => a.Problem!.Failure));
        Assert.Equal(0, _standIn.Began);
    }

    [NeedsFact(Need.Ssh | Need.Sshd)]
    public async Task Number_below_the_bastions_is_passed_once_and_an_absurd_one_is_not_believed()
    {
        using var database = Common.Journal.Database.Open(":memory:", BundleNumbers.Migration);
        using var folder = new SecretFolder();
        _standIn.Answer("old", "ok", "old", "old", "absurd");
        var push = Push(database, folder);

        var passed = await push.RunAsync(_sshd.Address, default);
        var fighting = await push.RunAsync(_sshd.Address, default);
        var absurd = await push.RunAsync(_sshd.Address, default);

        Assert.Equal((true, 5_000_000_001), (passed.Accepted, passed.InForce));
        Assert.Equal(SyncFailure.Old, fighting.Problem!.Failure);
        Assert.Equal(SyncFailure.Garbled, absurd.Problem!.Failure);
        var numbers = new List<long>();
        foreach (var received in _standIn.Received)
        {
            numbers.Add(System.Text.Json.JsonSerializer.Deserialize(await _standIn.VerifiedAsync(received, _sshd.HostKey("key")), BundleJson.Default.Bundle)!.Number);
        }

        Assert.Equal([1_794_000_000, 5_000_000_001, 5_000_000_002, 5_000_000_003, 5_000_000_004], numbers);
    }

    /// <summary>Arguments and environments of all processes are looked at while the push runs, over and over.</summary>
    [NeedsFact(Need.Ssh | Need.Sshd)]
    public async Task Secret_is_seen_by_nobody_on_its_way()
    {
        using var database = Common.Journal.Database.Open(Path.Combine(_sshd.Folder, "state.db"), BundleNumbers.Migration);
        using var folder = new SecretFolder();
        _standIn.Answer("slow");
        var seen = new ConcurrentDictionary<string, bool>(StringComparer.Ordinal);

        var pushing = Push(database, folder).RunAsync(_sshd.Address, default);
        while (!pushing.IsCompleted)
        {
            LookAround(seen);
            await Task.Delay(5);
        }

        Assert.True((await pushing).Accepted);
        Assert.Contains(Secret, await _standIn.VerifiedAsync(Assert.Single(_standIn.Received), _sshd.HostKey("key")), StringComparison.Ordinal);
        Assert.Contains(seen.Keys, words => words.Contains(TestSshd.Alias, StringComparison.Ordinal));
        Assert.DoesNotContain(seen.Keys, words => words.Contains(Secret, StringComparison.Ordinal));
        Assert.DoesNotContain(_sshd.Log, line => line.Contains(Secret, StringComparison.Ordinal));
        foreach (var file in Directory.GetFiles(_sshd.Folder, "*", SearchOption.AllDirectories).Where(f => !f.StartsWith(Path.GetDirectoryName(_standIn.Program)!, StringComparison.Ordinal)))
        {
            Assert.DoesNotContain(Secret, Encoding.Latin1.GetString(await File.ReadAllBytesAsync(file)), StringComparison.Ordinal);
        }
    }

    [NeedsFact(Need.Ssh | Need.Sshd)]
    public async Task Missing_secret_costs_its_channel_and_not_the_people()
    {
        using var database = Common.Journal.Database.Open(":memory:", BundleNumbers.Migration);
        using var folder = new SecretFolder();
        var push = Push(database, folder);
        File.Delete(folder.File);

        var answer = await push.RunAsync(_sshd.Address, default);

        Assert.True(answer.Accepted);
        Assert.Equal(SyncFailure.SecretMissing, answer.Problem!.Failure);
        Assert.Contains("mail_secret", answer.Problem.Detail, StringComparison.Ordinal);
        Assert.False(await push.DiffersAsync(default));
        await File.WriteAllTextAsync(folder.File, Secret);
        Assert.True(await push.DiffersAsync(default));
    }

    private SyncClient Client(TimeSpan? patience = null, BastionOptions? bastion = null) => new(
        new SystemProcessLauncher(TimeProvider.System),
        new BannerDialler(a => new Socket(a.AddressFamily, SocketType.Stream, ProtocolType.Tcp), _bastion.Ports, TimeProvider.System),
        bastion ?? _bastion, Path.Combine(_sshd.Folder, "run"), TimeProvider.System, bytes => _carried += bytes.Acknowledged)
    {
        Patience = patience ?? TimeSpan.FromSeconds(60),
    };

    private BundlePush Push(Common.Journal.Database database, SecretFolder folder)
    {
        var site = folder.Site(_bastion);
        return new BundlePush(() => site, new BundleNumbers(database, "home"), Client().SendAsync, () => 1_794_000_000, "Etc/UTC");
    }

    private static void LookAround(ConcurrentDictionary<string, bool> seen)
    {
        foreach (var process in Directory.EnumerateDirectories("/proc").Where(p => char.IsAsciiDigit(Path.GetFileName(p)[0])))
        {
            foreach (var file in (string[])["cmdline", "environ"])
            {
                try
                {
                    seen[File.ReadAllText(Path.Combine(process, file))] = true;
                }
                catch (Exception e) when (e is IOException or UnauthorizedAccessException)
                {
                    // Gone, or another user's.
                }
            }
        }
    }

    /// <summary>A site whose mail has a password.</summary>
    private sealed class SecretFolder : IDisposable
    {
        private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("ss");

        public SecretFolder()
        {
            System.IO.File.WriteAllText(File, Secret + "\n");
            System.IO.File.SetUnixFileMode(File, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        }

        public string File => Path.Combine(_folder.FullName, "mail_password");

        public SiteOptions Site(BastionOptions bastion) => SiteConfiguration.Parse($$"""
            site: home
            uplinks:
              primary: {interface: eth0}
              backup: {interface: eth1}
            bastion: {cloud: static, address: 198.51.100.10, key: {{bastion.KeyFile}}, host_keys: {{bastion.HostKeys[0]}} }
            people:
              alice: {devices: {laptop: {{bastion.HostKeys[0]}} } }
            messages:
              mail: {host: mail.example.net, user: home, secret: mail_password, from: home@example.net, to: alice@example.net}
            secrets_directory: {{_folder.FullName}}
            """).OptionsOrThrow();

        public void Dispose() => _folder.Delete(recursive: true);
    }
}
