using InternalHost.Tunnel;

namespace InternalHost.Tests.Tunnel;

public sealed class SshStderrTests
{
    private static IEnumerable<string> Names =>
        Directory.EnumerateFiles(Path.Combine(AppContext.BaseDirectory, "Tunnel/samples"), "*.txt").Select(path => Path.GetFileNameWithoutExtension(path)).Order();

    public static TheoryData<string> Samples => [.. Names];

    [Theory]
    [MemberData(nameof(Samples))]
    public void Sample_is_classified_as_it_says(string name)
    {
        var sample = Sample.Read(name);

        var failure = SshStderr.Classify(sample.Lines, sample.Exit, sample.Phase);

        Assert.Equal(sample.Expected, failure.Reason);
        Assert.InRange(failure.Detail.Length, 1, 200);
        Assert.DoesNotContain("debug1", failure.Detail, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("key-file-readable-by-others", "UNPROTECTED")]
    [InlineData("key-file-garbage", "error in libcrypto")]
    [InlineData("key-file-missing", "not accessible")]
    [InlineData("key-refused", "Permission denied (publickey")]
    [InlineData("v101-broken-pipe-after-refused-channels", "Broken pipe")]
    public void Detail_is_the_line_that_tells_the_cause(string name, string words)
    {
        var sample = Sample.Read(name);

        Assert.Contains(words, SshStderr.Classify(sample.Lines, sample.Exit, sample.Phase).Detail, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("host-key-changed", (int)SshPhase.KeyExchange)]
    [InlineData("key-refused", (int)SshPhase.Authenticating)]
    [InlineData("silent-after-banner", (int)SshPhase.KeyExchange)]
    [InlineData("server-silent", (int)SshPhase.Authenticated)]
    [InlineData("refused", (int)SshPhase.Starting)]
    public void Phase_is_read_from_the_lines(string name, int expected)
    {
        var phase = Sample.Read(name).Lines.Aggregate(SshPhase.Starting, SshStderr.Advance);

        Assert.Equal((SshPhase)expected, phase);
    }

    [Fact]
    public void Phase_never_goes_back()
    {
        var phase = SshStderr.Advance(SshPhase.Connected, "debug1: SSH2_MSG_NEWKEYS received");

        Assert.Equal(SshPhase.Connected, phase);
    }

    [Fact]
    public void Refused_forward_is_not_permitted_only_if_the_server_says_so()
    {
        string[] mux = ["mux_client_forward: forwarding request failed: remote port forwarding failed for listen port 22003", "muxclient: master forward request failed"];

        Assert.Equal(TunnelReason.ForwardNotPermitted, SshStderr.ForwardRefusal(["debug1: Remote: port forwarding refused"], mux));
        Assert.Equal(TunnelReason.ForwardNotPermitted, SshStderr.ForwardRefusal(["debug1: Remote: Server has disabled port forwarding."], mux));
        Assert.Equal(TunnelReason.ForwardBusy, SshStderr.ForwardRefusal(["mux_confirm_remote_forward: remote port forwarding failed for listen port 22003"], mux));
        Assert.Equal(TunnelReason.Closed, SshStderr.ForwardRefusal([], ["Control socket connect(/run/t/1.s): No such file or directory"]));
    }

    [Fact]
    public void Hostile_line_is_made_harmless()
    {
        var clean = SshStderr.Sanitise("  \u001b[31mPermission denied\u0007 \u202Eевил " + new string('x', 500));

        Assert.Equal(200, clean.Length);
        Assert.StartsWith("?[31mPermission denied? ?", clean, StringComparison.Ordinal);
        Assert.All(clean, c => Assert.InRange(c, ' ', '~'));
    }

    [Fact]
    public void Random_lines_are_classified_without_a_fault()
    {
        var random = new Random(7);
        var words = Names.SelectMany(name => Sample.Read(name).Lines).ToArray();
        for (var i = 0; i < 2000; i++)
        {
            var lines = Enumerable.Range(0, random.Next(8)).Select(_ => Mangle(words[random.Next(words.Length)], random)).ToArray();

            var failure = SshStderr.Classify(lines, random.Next(3) == 0 ? null : 255, (SshPhase)random.Next(1, 6));

            Assert.True(failure.Detail.Length <= 250);
        }
    }

    private static string Mangle(string line, Random random) =>
        random.Next(3) switch
        {
            0 => line[..random.Next(line.Length + 1)],
            1 => line + (char)random.Next(0xFFFF),
            _ => line,
        };

    private sealed record Sample(TunnelReason Expected, int? Exit, SshPhase Phase, string[] Lines)
    {
        public static Sample Read(string name)
        {
            var all = File.ReadAllLines(Path.Combine(AppContext.BaseDirectory, "Tunnel/samples", name + ".txt"));
            string? Head(string key) => all.FirstOrDefault(line => line.StartsWith($"# {key}", StringComparison.Ordinal))?[(key.Length + 2)..].Trim();
            var lines = all.Where(line => !line.StartsWith('#')).ToArray();
            return new(
                Enum.Parse<TunnelReason>(Head("expect")!),
                int.TryParse(Head("exit"), out var exit) ? exit : null,
                Head("phase") is { } phase ? Enum.Parse<SshPhase>(phase) : lines.Aggregate(SshPhase.Starting, SshStderr.Advance),
                lines);
        }
    }
}
