using InternalHost.Cli;
using InternalHost.Pins;
using InternalHost.Tests.Configuration;

namespace InternalHost.Tests.Pins;

public sealed class PinsCommandTests : IDisposable
{
    private static readonly string A = ConsoleTextTests.Key(1);
    private static readonly string B = ConsoleTextTests.Key(2);

    private readonly SiteFolder _folder = new();
    private readonly string _file;
    private readonly string _config;

    public PinsCommandTests()
    {
        _file = _folder.Write("keys/pins.pub", $"{A} root@vm\n");
        _config = _folder.Write("a.yaml", _folder.Good.Replace($"host_keys: {SiteFolder.HostKey}", $"host_keys: {_file}", StringComparison.Ordinal)
            + $"runtime_directory: {_folder.At("run")}\n");
    }

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Key_is_added_beside_the_old_one_and_the_old_one_dropped()
    {
        Assert.Equal($"{HostKey.Fingerprint(A)}  ssh-ed25519, by hand\n", (await RunAsync(0, "pins")).Output);

        var added = await RunAsync(0, "pins", "add", B + " new", "--next");
        Assert.Matches($@"^{System.Text.RegularExpressions.Regex.Escape(HostKey.Fingerprint(B))}  ssh-ed25519, by hand, by \S+, \d{{4}}-\d\d-\d\d, next$", added.Output.Split('\n')[1]);
        Assert.Contains("it counts from its next start", added.Errors, StringComparison.Ordinal);
        Assert.Equal([false, true], PinFile.Read(_file).Select(p => p.Next));

        await RunAsync(0, "pins", "add", B);
        await RunAsync(0, "pins", "drop", HostKey.Fingerprint(A)[7..20]);
        Assert.Equal([B], PinFile.Read(_file).Select(p => p.Key));
    }

    [Fact]
    public async Task What_would_leave_no_way_in_is_refused()
    {
        Assert.Contains("the only one", (await RunAsync(2, "pins", "drop", HostKey.Fingerprint(A))).Errors, StringComparison.Ordinal);

        await RunAsync(0, "pins", "add", B, "--next");
        Assert.Contains("the only one", (await RunAsync(2, "pins", "drop", HostKey.Fingerprint(A))).Errors, StringComparison.Ordinal);
        Assert.Contains("beginning of 2 pins", (await RunAsync(2, "pins", "drop", "SHA256:")).Errors, StringComparison.Ordinal);
        Assert.Equal(2, PinFile.Read(_file).Length);
    }

    [Theory]
    [InlineData("nonsense", "must be a public key")]
    [InlineData("-----BEGIN OPENSSH PRIVATE KEY-----", "is a private key")]
    public async Task What_is_no_public_key_is_refused(string key, string reason)
    {
        Assert.Contains(reason, (await RunAsync(2, "pins", "add", "--", key)).Errors, StringComparison.Ordinal);
        Assert.Single(PinFile.Read(_file));
    }

    [Fact]
    public async Task Keys_in_the_configuration_itself_are_changed_there()
    {
        var config = _folder.Write("b.yaml", _folder.Good);

        var (output, errors) = (new StringWriter(), new StringWriter());
        Assert.Equal(2, await CommandTree.RunAsync(["pins", "add", B, "-c", config], output, errors));
        Assert.Contains("must name one file", errors.ToString(), StringComparison.Ordinal);
    }

    private async Task<(string Output, string Errors)> RunAsync(int code, params string[] args)
    {
        var (output, errors) = (new StringWriter(), new StringWriter());
        Assert.Equal(code, await CommandTree.RunAsync([.. args.TakeWhile(a => a != "--"), "-c", _config, .. args.SkipWhile(a => a != "--")], output, errors));
        return (output.ToString(), errors.ToString());
    }
}
