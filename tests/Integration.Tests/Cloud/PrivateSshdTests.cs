using System.Collections.Immutable;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Threading.Channels;
using Common.Processes;
using InternalHost.Cloud.Local;
using Testing;

namespace Integration.Tests.Cloud;

public sealed class PrivateSshdTests : IDisposable
{
    private readonly SystemProcessLauncher _launcher = new(TimeProvider.System);
    private readonly OwnPlace _place = new();
    private readonly CancellationToken _soon = new CancellationTokenSource(TimeSpan.FromSeconds(60)).Token;

    public void Dispose() => _place.Dispose();

    [NeedsFact(Need.Ssh | Need.Sshd)]
    public async Task Login_on_every_port_works_and_host_key_is_the_pinned_one()
    {
        var ssh = await KeyAsync("me");
        await using var sshd = await StartAsync([await ShellAsync("me")], _place.EndPoint(49022), _place.EndPoint(4443));

        var first = await ssh.RunAsync(_place.EndPoint(49022), "echo", "hello");
        var second = await ssh.RunAsync(_place.EndPoint(4443), "echo", "hello");
        var scan = await _launcher.RunAsync(new ProcessSpec("ssh-keyscan", ["-p", "49022", "-t", "ed25519", $"{_place.Address()}"]), _soon);

        Assert.Equal("hello", first.Output);
        Assert.Equal("hello", second.Output);
        Assert.Contains(sshd.HostKey.Line, scan.Output, StringComparison.Ordinal);
        Assert.Contains(sshd.HostKey.Fingerprint, (await FingerprintAsync(_place.File("sshd/ssh_host_ed25519_key"))).Output, StringComparison.Ordinal);
    }

    [NeedsFact(Need.Ssh | Need.Sshd)]
    public async Task Second_start_keeps_the_host_key()
    {
        var options = Options([], _place.EndPoint(49022));
        var first = await PrivateSshd.StartAsync(options, _launcher, TimeProvider.System, _soon);
        await first.StopAsync();

        await using var second = await PrivateSshd.StartAsync(options, _launcher, TimeProvider.System, _soon);

        Assert.Equal(first.HostKey, second.HostKey);
    }

    [NeedsFact(Need.Ssh | Need.Sshd)]
    public async Task Log_line_has_time_label_and_pid_and_reaches_the_callback()
    {
        var lines = Channel.CreateUnbounded<string>();
        var ssh = await KeyAsync("me");
        var options = Options([await ShellAsync("me")], _place.EndPoint(49022)) with { Label = "cabin", OnLogLine = l => lines.Writer.TryWrite(l) };
        await using var sshd = await PrivateSshd.StartAsync(options, _launcher, TimeProvider.System, _soon);

        _ = await ssh.RunAsync(_place.EndPoint(49022), "true");
        var accepted = await FirstAsync(lines.Reader, "Accepted publickey");

        var parts = accepted.Split(' ', 4);
        Assert.InRange(DateTimeOffset.ParseExact(parts[0], "yyyy-MM-ddTHH:mm:ss.ffffffzzz", CultureInfo.InvariantCulture), DateTimeOffset.UtcNow.AddMinutes(-1), DateTimeOffset.UtcNow);
        Assert.Equal(["cabin", $"sshd[{sshd.Pid}]:"], parts[1..3]);
        Assert.Contains(accepted, await File.ReadAllLinesAsync(options.LogFile, _soon));
    }

    [NeedsTheory(Need.Ssh | Need.Sshd)]
    [InlineData("127.0.0.1:OWN", true)]
    [InlineData("127.0.0.1:LOOP", true)]
    [InlineData("127.0.0.1:OTHER", false)]
    [InlineData("OWN", false)]
    [InlineData("127.0.0.1:1", false)]
    [InlineData("0", false)]
    public async Task Site_key_listens_on_its_own_loopback_ports_only(string listen, bool allowed)
    {
        var ssh = await KeyAsync("site");
        var (own, loop, other) = (OwnPlace.FreePort(), OwnPlace.FreePort(), OwnPlace.FreePort());
        await using var sshd = await StartAsync(
            [
                AuthorizedKeyLine.Site((await PublicAsync("site")).Line, [own], loop, 29000),
                AuthorizedKeyLine.Site((await PublicAsync("other")).Line, [other], other, 29000),
            ],
            _place.EndPoint(49022));

        var listens = await ListensAsync(ssh, listen.Replace("OWN", $"{own}").Replace("LOOP", $"{loop}").Replace("OTHER", $"{other}"));

        Assert.Equal(allowed, listens);
    }

    [NeedsTheory(Need.Ssh | Need.Sshd)]
    [InlineData("127.0.0.1:OWN")]
    [InlineData("127.0.0.1:1")]
    [InlineData("localhost:1")]
    [InlineData("0")]
    public async Task Person_key_listens_nowhere(string listen)
    {
        var ssh = await KeyAsync("person");
        var own = OwnPlace.FreePort();
        await using var sshd = await StartAsync(
            [AuthorizedKeyLine.Site((await PublicAsync("site")).Line, [own], own, 29000), AuthorizedKeyLine.Person((await PublicAsync("person")).Line, [own])],
            _place.EndPoint(49022));

        Assert.False(await ListensAsync(ssh, listen.Replace("OWN", $"{own}")));
    }

    [NeedsFact(Need.Ssh | Need.Sshd)]
    public async Task Keys_of_the_way_in_give_no_shell()
    {
        var (site, person) = (await KeyAsync("site"), await KeyAsync("person"));
        await using var sshd = await StartAsync(
            [AuthorizedKeyLine.Site((await PublicAsync("site")).Line, [22001], 22016, null), AuthorizedKeyLine.Person((await PublicAsync("person")).Line, [22001], "It's \"closed\".")],
            _place.EndPoint(49022));

        var siteCommand = await site.RunAsync(_place.EndPoint(49022), "id");
        var personCommand = await person.RunAsync(_place.EndPoint(49022), "id");

        Assert.Equal((1, ""), (siteCommand.Exit.Code, siteCommand.Output));
        Assert.Equal((0, "Its closed."), (personCommand.Exit.Code, personCommand.Output));
    }

    [NeedsFact(Need.Ssh | Need.Sshd)]
    public async Task Person_key_opens_the_permitted_service_and_no_other()
    {
        var ssh = await KeyAsync("person");
        using var service = new TcpListener(IPAddress.Loopback, 0);
        service.Start();
        var port = ((IPEndPoint)service.LocalEndpoint).Port;
        var greeting = GreetAsync(service);
        await using var sshd = await StartAsync([AuthorizedKeyLine.Person((await PublicAsync("person")).Line, [port])], _place.EndPoint(49022));

        var permitted = await ssh.RunAsync(_place.EndPoint(49022), ["-W", $"127.0.0.1:{port}"], []);
        var other = await ssh.RunAsync(_place.EndPoint(49022), ["-W", "127.0.0.1:49022"], []);

        await greeting;
        Assert.Equal("good evening", permitted.Output);
        Assert.NotEqual(0, other.Exit.Code);
    }

    [NeedsFact(Need.Ssh | Need.Sshd)]
    public async Task Stop_ends_sessions_and_what_they_left_behind()
    {
        var lines = Channel.CreateUnbounded<string>();
        var ssh = await KeyAsync("me");
        var sshd = await StartAsync([await ShellAsync("me")], _place.EndPoint(49022));
        await using var client = ssh.Start(
            _place.EndPoint(49022), [], l => lines.Writer.TryWrite(l), "(setsid sh -c 'echo left $$; exec sleep 300' &); echo here $$; exec sleep 300");
        var pids = new List<int> { await PidAsync(lines.Reader), await PidAsync(lines.Reader) };
        Assert.All(pids, p => Assert.True(Directory.Exists($"/proc/{p}")));

        await sshd.StopAsync();

        Assert.Equal(255, (await client.Exited.WaitAsync(_soon)).Code);
        Assert.All(pids, p => Assert.False(Alive(p)));
        Assert.False(Alive(sshd.Pid));
    }

    [NeedsFact(Need.Sshd)]
    public async Task Busy_port_fails_with_sshds_own_words()
    {
        using var busy = new TcpListener(_place.EndPoint(4443));
        busy.Start();

        var failure = await Assert.ThrowsAsync<PrivateSshdException>(() => StartAsync([], _place.EndPoint(49022), _place.EndPoint(4443)));

        Assert.Contains("Address already in use", failure.Message, StringComparison.Ordinal);
        using var free = new TcpListener(_place.EndPoint(49022));
        free.Start();
    }

    [NeedsFact(Need.Sshd)]
    public async Task Bad_extra_configuration_fails_with_sshds_own_words()
    {
        var options = Options([], _place.EndPoint(49022)) with { ExtraConfiguration = ["Colour blue"] };

        var failure = await Assert.ThrowsAsync<PrivateSshdException>(() => PrivateSshd.StartAsync(options, _launcher, TimeProvider.System, _soon));

        Assert.Contains("Colour", failure.Message, StringComparison.Ordinal);
    }

    [NeedsFact(Need.Sshd)]
    public async Task Address_of_the_network_is_refused()
    {
        var failure = await Assert.ThrowsAsync<PrivateSshdException>(() => StartAsync([], new IPEndPoint(IPAddress.Any, 49022)));

        Assert.Contains("loopback addresses only, not on 0.0.0.0:49022", failure.Message, StringComparison.Ordinal);
    }

    private PrivateSshdOptions Options(ImmutableArray<string> keys, params IPEndPoint[] listen) => new(_place.File("sshd"), [.. listen], keys);

    private Task<PrivateSshd> StartAsync(ImmutableArray<string> keys, params IPEndPoint[] listen) =>
        PrivateSshd.StartAsync(Options(keys, listen), _launcher, TimeProvider.System, _soon);

    private Task<PublicKey> PublicAsync(string name) => SshKeygen.EnsurePairAsync(_place.File(name), _launcher, _soon);

    private async Task<string> ShellAsync(string name) => AuthorizedKeyLine.Shell((await PublicAsync(name)).Line);

    private async Task<OwnSsh> KeyAsync(string name)
    {
        _ = await PublicAsync(name);
        return new(_launcher, _place.File(name));
    }

    private Task<ProcessResult> FingerprintAsync(string file) => _launcher.RunAsync(new ProcessSpec("ssh-keygen", ["-l", "-f", file + ".pub"]), _soon);

    /// <summary>Whether sshd takes the listen request: a client that stays says so with -v, one that is refused ends.</summary>
    private async Task<bool> ListensAsync(OwnSsh ssh, string listen)
    {
        var lines = Channel.CreateUnbounded<string>();
        await using var client = ssh.Start(
            _place.EndPoint(49022), ["-N", "-o", "LogLevel=DEBUG1", "-R", $"{listen}:127.0.0.1:9"], l => lines.Writer.TryWrite(l));
        var success = FirstAsync(lines.Reader, "remote forward success");
        return await Task.WhenAny(success, client.Exited).WaitAsync(_soon) == success;
    }

    private async Task<string> FirstAsync(ChannelReader<string> lines, string with)
    {
        await foreach (var line in lines.ReadAllAsync(_soon))
        {
            if (line.Contains(with, StringComparison.Ordinal))
            {
                return line;
            }
        }

        throw new InvalidOperationException($"no line with {with}");
    }

    private async Task<int> PidAsync(ChannelReader<string> lines) =>
        int.Parse((await lines.ReadAsync(_soon)).Split(' ')[1], CultureInfo.InvariantCulture);

    private static bool Alive(int pid) =>
        File.Exists($"/proc/{pid}/stat") && !File.ReadAllText($"/proc/{pid}/stat").Contains(") Z ", StringComparison.Ordinal);

    private async Task GreetAsync(TcpListener service)
    {
        using var client = await service.AcceptTcpClientAsync(_soon);
        await client.GetStream().WriteAsync("good evening"u8.ToArray(), _soon);
    }
}
