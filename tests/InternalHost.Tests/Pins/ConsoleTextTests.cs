using InternalHost.Pins;

namespace InternalHost.Tests.Pins;

public sealed class ConsoleTextTests
{
    private const string A = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIMIxtGteHzUaJWQpUo9A2kB6ASlg+Gce+0D5gAJ30df4";
    private const string Rsa1024 = "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAAAgQC5";
    private static readonly string B = Key(2);
    private static readonly string C = Key(3);

    [Fact]
    public void Keys_as_cloud_init_shows_them()
    {
        var console = $"""
            [    0.000000] Linux version 6.12.0-cloud-amd64
            <14>Nov 22 02:33:06 cloud-init: #############################################################
            <14>Nov 22 02:33:06 ec2: -----BEGIN SSH HOST KEY FINGERPRINTS-----
            <14>Nov 22 02:33:06 ec2: 256 {HostKey.Fingerprint(A)} root@ip-10-0-0-5 (ED25519)
            <14>Nov 22 02:33:06 ec2: 256 {HostKey.Fingerprint(B)} root@ip-10-0-0-5 (ED25519)
            <14>Nov 22 02:33:06 ec2: -----END SSH HOST KEY FINGERPRINTS-----
            -----BEGIN SSH HOST KEY KEYS-----
            {A} root@ip-10-0-0-5
            {B} root@ip-10-0-0-5
            -----END SSH HOST KEY KEYS-----
            [   21.234567] cloud-init[612]: Cloud-init v. 25.1 finished
            """;

        Reads(console, [A, B]);
    }

    [Theory]
    [InlineData("ec2: ")]
    [InlineData("<14>Nov 22 02:33:06 ec2: ")]
    [InlineData("Nov  2 02:33:06 ip-10-0-0-5 cloud-init[612]: ")]
    [InlineData("[   21.234567] cloud-init[612]: ")]
    [InlineData("2026-11-22T02:33:06.123456+00:00 ip-10-0-0-5 ec2: ")]
    [InlineData("\u001b[0;32m")]
    [InlineData("\r")]
    [InlineData("   ")]
    public void Whatever_a_logger_writes_before_each_line(string before) => Reads(Lines([.. KeyBlock(A, B).Select(l => $"{before}{l}\u001b[0m\r")]), [A, B]);

    [Fact]
    public void Fingerprints_where_there_is_nothing_else()
    {
        var read = ConsoleText.Read(Lines(FingerprintBlock(A, B)));

        Assert.Equal(ConsoleProblem.None, read.Problem);
        Assert.Empty(read.Keys);
        Assert.Equal([HostKey.Fingerprint(A), HostKey.Fingerprint(B)], read.Fingerprints.ToArray());
    }

    [Fact]
    public void Last_boot_counts()
    {
        Reads(Lines([.. KeyBlock(A), .. KeyBlock(B)]), [B]);
        Reads(Lines([.. FingerprintBlock(A), .. KeyBlock(A), .. FingerprintBlock(B), .. KeyBlock(B)]), [B]);
        Reads(Lines([.. KeyBlock(A), .. FingerprintBlock(A)]), [A]);
    }

    [Fact]
    public void Fingerprints_of_a_later_boot_replace_keys_of_an_earlier_one()
    {
        var read = ConsoleText.Read(Lines([.. KeyBlock(A), .. FingerprintBlock(B), .. KeyBlock(B)[..^1]]));

        Assert.Empty(read.Keys);
        Assert.Equal([HostKey.Fingerprint(B)], read.Fingerprints.ToArray());
        Assert.True(read.LaterCut);
    }

    [Fact]
    public void Block_that_is_not_whole_never_counts()
    {
        Assert.Equal(ConsoleProblem.CutOff, ConsoleText.Read(Lines(KeyBlock(A)[..^1])).Problem);
        Assert.Equal(ConsoleProblem.NoBlock, ConsoleText.Read(Lines(KeyBlock(A)[1..])).Problem);

        var later = ConsoleText.Read(Lines([.. KeyBlock(A), .. KeyBlock(B)[..^1]]));
        Assert.Equal([A], later.Keys.ToArray());
        Assert.True(later.LaterCut);
    }

    [Fact]
    public void Every_cut_of_a_console_gives_the_keys_or_a_reason()
    {
        var whole = Lines([.. FingerprintBlock(A), .. KeyBlock(A)]);

        Assert.All(Enumerable.Range(0, whole.Length), cut =>
        {
            var read = ConsoleText.Read(whole[..cut]);
            Assert.True(read.Problem != ConsoleProblem.None ? read.Fingerprints.IsEmpty : read.Fingerprints.SequenceEqual([HostKey.Fingerprint(A)]), $"{cut}: {read}");
        });
    }

    [Fact]
    public void What_a_shell_shows_of_its_commands_is_no_block()
    {
        var echoed = KeyBlock(B).Select(l => $"+ echo '{l}'").Concat(KeyBlock(B).Select(l => $"[ 20.1] cloud-init[612]: + echo {l}"));

        Reads(Lines([.. KeyBlock(A), .. echoed]), [A]);
    }

    [Fact]
    public void Lines_between_the_keys_are_passed_over() => Reads(
        Lines(["-----BEGIN SSH HOST KEY KEYS-----", "[   23.456789] audit: type=1400", A, "", Rsa1024, B[..60], "-----BEGIN SSH HOST KEY FINGERPRINTS-----", C, "-----END SSH HOST KEY KEYS-----"]), [A, C]);

    [Theory]
    [InlineData("")]
    [InlineData("garbage \u0000\uFFFD\u001b[31m")]
    [InlineData("ssh-ed25519 AAAA*not*base64")]
    [InlineData(Rsa1024)]
    public void Block_without_a_key_is_garbled(string inside) =>
        Assert.Equal(ConsoleProblem.Garbled, ConsoleText.Read(Lines(["-----BEGIN SSH HOST KEY KEYS-----", inside, "-----END SSH HOST KEY KEYS-----"])).Problem);

    [Theory]
    [InlineData(null, (int)ConsoleProblem.Silent)]
    [InlineData(" \r\n \n", (int)ConsoleProblem.Silent)]
    [InlineData("Linux version 6.12\nDebian GNU/Linux 13 ip-10-0-0-5 ttyS0", (int)ConsoleProblem.NoBlock)]
    [InlineData("-----END SSH HOST KEY KEYS-----", (int)ConsoleProblem.NoBlock)]
    public void No_block(string? console, int problem) => Assert.Equal((ConsoleProblem)problem, ConsoleText.Read(console).Problem);

    [Fact]
    public void Huge_console_is_read_from_its_end()
    {
        Reads(new string('x', 3_000_000) + "\n" + Lines(KeyBlock(A)) + string.Concat(Enumerable.Repeat("noise\n", 50_000)), [A]);
        Assert.Equal(ConsoleProblem.Garbled, ConsoleText.Read(Lines(KeyBlock([.. Enumerable.Range(0, 5000).Select(i => Key((byte)i, (byte)(i >> 8)))]))).Problem);
    }

    [Fact]
    public void Anything_at_all_is_survived()
    {
        var chance = new Random(1);
        var parts = KeyBlock(A).Concat(FingerprintBlock(B)).Concat(["\u001b[", "\r", "<14>", "[ 1.0] ", "\0", "\n", " ", "x: "]).ToArray();
        for (var i = 0; i < 2000; i++)
        {
            var read = ConsoleText.Read(string.Concat(Enumerable.Range(0, chance.Next(30)).Select(_ => parts[chance.Next(parts.Length)] + (chance.Next(2) == 0 ? "\n" : ""))));
            Assert.Equal(read.Problem == ConsoleProblem.None, !read.Fingerprints.IsEmpty);
        }
    }

    private static void Reads(string console, string[] keys)
    {
        var read = ConsoleText.Read(console);
        Assert.Equal(ConsoleProblem.None, read.Problem);
        Assert.Equal(keys, read.Keys.ToArray());
        Assert.Equal(keys.Select(HostKey.Fingerprint), read.Fingerprints.ToArray());
    }

    private static string[] KeyBlock(params string[] keys) => ["-----BEGIN SSH HOST KEY KEYS-----", .. keys, "-----END SSH HOST KEY KEYS-----"];

    private static string[] FingerprintBlock(params string[] keys) =>
        ["-----BEGIN SSH HOST KEY FINGERPRINTS-----", .. keys.Select(k => $"256 {HostKey.Fingerprint(k)} root@host (ED25519)"), "-----END SSH HOST KEY FINGERPRINTS-----"];

    private static string Lines(IEnumerable<string> lines) => string.Concat(lines.Select(l => l + "\n"));

    internal static string Key(byte first, byte second = 0) =>
        $"ssh-ed25519 {Convert.ToBase64String([0, 0, 0, 11, .. "ssh-ed25519"u8, 0, 0, 0, 32, first, second, .. new byte[30]])}";
}
