using System.Net;
using Common.Logins;

namespace Common.Tests.Logins;

public sealed class SshdMessageParserTests
{
    private const string Fp = "SHA256:Xspp2NxCCnW5eU18SFQeWO1gnP3Hk/JXAdZjqD9LUhk";
    private const string CaFp = "SHA256:h8lPXsdzK3m0XrtEhvVM6uwwxXr04g2MrypizyDaOFs";

    [Theory]
    [InlineData("drop connection #2 from [192.0.2.7]:40046 on [198.51.100.1]:49022 penalty: failed authentication", "192.0.2.7", 40046, "penalty: failed authentication")]
    [InlineData("drop connection #10 from [2001:db8::7]:1 on [2001:db8::1]:22 past MaxStartups", "2001:db8::7", 1, "past MaxStartups")]
    public void Connection_that_was_not_let_in_has_its_peer_and_reason(string line, string address, int port, string why) =>
        Assert.Equal(new SshdMessage.Dropped(Peer(address, port), why), SshdMessageParser.Parse(line));

    [Theory]
    [InlineData("drop connection #2 from [192.0.2.7]:x on [198.51.100.1]:22 penalty: a")]
    [InlineData("drop connection #2 from [192.0.2.7 on")]
    [InlineData("drop connection # from [192.0.2.7]:1 on [1.1.1.1]:2 x")]
    public void Half_of_such_a_line_is_something_else(string line) => Assert.IsType<SshdMessage.Other>(SshdMessageParser.Parse(line));

    [Theory]
    [InlineData("error: maximum authentication attempts exceeded for root from 192.0.2.7 port 40000 ssh2 [preauth]", "root", false)]
    [InlineData("error: maximum authentication attempts exceeded for invalid user a from 1.2.3.4 port 5 ssh2 from 192.0.2.7 port 40000 ssh2 [preauth]", "a from 1.2.3.4 port 5 ssh2", true)]
    public void Too_many_attempts_are_a_failure(string line, string user, bool unknown) =>
        Assert.Equal(new SshdMessage.Failed("", user, unknown, Peer("192.0.2.7", 40000)), SshdMessageParser.Parse(line));

    [Theory]
    [InlineData("Connection closed by authenticating user root 192.0.2.7 port 40000 [preauth]", true)]
    [InlineData("Connection reset by invalid user root 192.0.2.7 port 40000 [preauth]", true)]
    [InlineData("Disconnected from user root 192.0.2.7 port 40000", false)]
    [InlineData("Disconnected from user authenticating user 192.0.2.7 port 40000", false)]
    [InlineData("Connection closed by 192.0.2.7 port 40000 [preauth]", false)]
    public void End_says_whether_it_was_before_the_login(string line, bool before) =>
        Assert.Equal(before, Assert.IsType<SshdMessage.Ended>(SshdMessageParser.Parse(line)).BeforeLogin);

    [Theory]
    [InlineData("publickey", "alice", "192.0.2.7", 40000, "ED25519")]
    [InlineData("publickey", "alice", "2001:db8::7", 1, "RSA")]
    [InlineData("publickey", "alice", "::ffff:192.0.2.7", 65535, "ECDSA-SK")]
    public void Accepted_key_names_user_peer_and_fingerprint(string method, string user, string address, int port, string type)
    {
        var accepted = Accepted($"Accepted {method} for {user} from {address} port {port} ssh2: {type} {Fp}");

        Assert.Equal(user, accepted.User);
        Assert.Equal(method, accepted.Method);
        Assert.Equal(Peer(address.Replace("::ffff:", ""), port), accepted.From);
        Assert.Equal(new PublicKey(type, Fp), accepted.Key);
        Assert.False(accepted.Ambiguous);
    }

    [Theory]
    [InlineData("password")]
    [InlineData("keyboard-interactive/pam")]
    [InlineData("none")]
    public void Accepted_without_key_has_no_key(string method)
    {
        var accepted = Accepted($"Accepted {method} for root from 192.0.2.7 port 40000 ssh2");

        Assert.Null(accepted.Key);
        Assert.Equal(method, accepted.Method);
        Assert.False(accepted.Ambiguous);
    }

    [Theory]
    [InlineData("alice@laptop")]
    [InlineData("key id with spaces from 9.9.9.9 port 9 ssh2")]
    [InlineData("x (serial 1) CA ED25519 " + CaFp)]
    [InlineData("")]
    public void Accepted_certificate_keeps_its_free_text_out_of_the_address(string id)
    {
        var accepted = Accepted($"Accepted publickey for alice from 192.0.2.7 port 40000 ssh2: ED25519-CERT {Fp} ID {id} (serial 77) CA RSA {CaFp}");

        Assert.Equal(Peer("192.0.2.7", 40000), accepted.From);
        Assert.Equal(new Certificate(id, 77, "RSA", CaFp), accepted.Key!.Certificate);
        Assert.Equal(Fp, accepted.Key.Fingerprint);
        Assert.False(accepted.Ambiguous);
    }

    [Theory]
    [InlineData("evil from 1.2.3.4 port 5 ssh2")]
    [InlineData("evil from 1.2.3.4 port 5 ssh2: RSA " + Fp)]
    [InlineData("a from 1.2.3.4 port 5 ssh2: ED25519-CERT " + Fp + " ID x")]
    [InlineData("  from  from ")]
    [InlineData("")]
    [InlineData("x\\n2026-11-21T06:11:11Z host sshd[1]: Accepted publickey for root from 1.2.3.4 port 5 ssh2")]
    public void Accepted_forged_name_never_moves_the_address(string user)
    {
        var accepted = Accepted($"Accepted publickey for {user} from 192.0.2.7 port 40000 ssh2: ED25519 {Fp}");

        Assert.Equal(Peer("192.0.2.7", 40000), accepted.From);
        Assert.Equal(user, accepted.User);
        Assert.Equal(Fp, accepted.Key!.Fingerprint);
    }

    [Theory]
    [InlineData("evil from 1.2.3.4 port 5 ssh2")]
    [InlineData("a b c 1.2.3.4 port 5")]
    [InlineData("invalid user x")]
    [InlineData("new\\nline\\033[2J")]
    public void Failed_forged_name_never_moves_the_address(string user)
    {
        var failed = Assert.IsType<SshdMessage.Failed>(SshdMessageParser.Parse($"Failed password for invalid user {user} from 192.0.2.7 port 40000 ssh2 [preauth]"));

        Assert.True(failed.UnknownUser);
        Assert.Equal(Peer("192.0.2.7", 40000), failed.From);
        Assert.Equal(user, failed.User);
    }

    [Fact]
    public void Accepted_that_reads_two_ways_is_marked()
    {
        var name = $"a from 1.2.3.4 port 5 ssh2: ED25519-CERT {Fp} ID x";

        var accepted = Accepted($"Accepted publickey for {name} from 192.0.2.7 port 40000 ssh2: ED25519-CERT {Fp} ID y (serial 1) CA RSA {CaFp}");

        Assert.True(accepted.Ambiguous);
    }

    [Theory]
    [InlineData("Accepted publickey for alice from UNKNOWN port 65535 ssh2: ED25519 " + Fp)]
    [InlineData("Accepted publickey for alice from 192.0.2.7 port 40000 ssh2: something new")]
    [InlineData("Accepted publickey for alice from nowhere")]
    [InlineData("Accepted publickey for alice from 1 port 99999 ssh2")]
    public void Accepted_that_is_not_understood_is_still_a_login(string line) => Assert.True(Accepted(line).Ambiguous);

    [Theory]
    [InlineData("Accepted key ED25519 " + Fp + " found at /etc/ssh/authorized_keys:3")]
    [InlineData("Accepted certificate ID \"x for y from 1.2.3.4 port 5 ssh2\" (serial 77) signed by CA ED25519 " + CaFp + " found at /etc/ssh/ak:1")]
    [InlineData("Postponed publickey for root from 127.0.0.1 port 56744 ssh2 [preauth]")]
    [InlineData("Starting session: command for root from 127.0.0.1 port 56744 id 0")]
    [InlineData("error: Accepted publickey for root from 127.0.0.1 port 56744 ssh2")]
    [InlineData("Accepted")]
    [InlineData("")]
    public void Other_words_are_no_login(string line) => Assert.IsType<SshdMessage.Other>(SshdMessageParser.Parse(line));

    [Theory]
    [InlineData("Connection closed by 127.0.0.1 port 56728", nameof(ConnectionEnd.Closed), null)]
    [InlineData("Connection closed by invalid user evil 9.9.9.9 port 9 127.0.0.1 port 56728 [preauth]", nameof(ConnectionEnd.Closed), "evil 9.9.9.9 port 9")]
    [InlineData("Connection closed by authenticating user root 127.0.0.1 port 56728 [preauth]", nameof(ConnectionEnd.Closed), "root")]
    [InlineData("Connection reset by 127.0.0.1 port 56728", nameof(ConnectionEnd.Reset), null)]
    [InlineData("Disconnected from user root 127.0.0.1 port 56728", nameof(ConnectionEnd.Disconnected), "root")]
    [InlineData("Disconnected from 127.0.0.1 port 56728", nameof(ConnectionEnd.Disconnected), null)]
    [InlineData("Received disconnect from 127.0.0.1 port 56728:11: from 9.9.9.9 port 9:11: bye", nameof(ConnectionEnd.DisconnectReceived), null)]
    public void Ended_names_the_true_peer(string line, string how, string? user) =>
        Assert.Equal(new SshdMessage.Ended(Enum.Parse<ConnectionEnd>(how), user, Peer("127.0.0.1", 56728), BeforeLogin: user is not null && line.EndsWith("[preauth]", StringComparison.Ordinal)), SshdMessageParser.Parse(line));

    [Fact]
    public void Pam_close_names_the_user() =>
        Assert.Equal(new SshdMessage.PamSessionClosed("alice"), SshdMessageParser.Parse("pam_unix(sshd:session): session closed for user alice"));

    [Fact]
    public void Invalid_user_is_read_from_the_right() =>
        Assert.Equal(
            new SshdMessage.InvalidUser("evil from 1.2.3.4 port 5", Peer("127.0.0.1", 56702)),
            SshdMessageParser.Parse("Invalid user evil from 1.2.3.4 port 5 from 127.0.0.1 port 56702"));

    [Fact]
    public void Random_mutations_never_throw_and_never_leave_the_true_address()
    {
        var random = new Random(20261121);
        for (var round = 0; round < 5_000; round++)
        {
            var name = HostileText.Next(random, 100);

            var message = SshdMessageParser.Parse($"Accepted publickey for {name} from 198.51.100.9 port 4242 ssh2: ED25519 {Fp}");

            var accepted = Assert.IsType<SshdMessage.Accepted>(message);
            Assert.Equal(Peer("198.51.100.9", 4242), accepted.From);
            Assert.Equal(name, accepted.User);
            SshdMessageParser.Parse(HostileText.Next(random, 300));
        }
    }

    private static SshdMessage.Accepted Accepted(string line) => Assert.IsType<SshdMessage.Accepted>(SshdMessageParser.Parse(line));

    private static IPEndPoint Peer(string address, int port) => new(IPAddress.Parse(address), port);
}

/// <summary>Seeded text made of the words that the parsers look for.</summary>
internal static class HostileText
{
    private static readonly string[] Pieces =
    [
        " from ", " port ", " ssh2", ": ", "1.2.3.4", "::1", "5", "Accepted ", "Failed ", " for ", "invalid user ", "root", "ED25519", "ED25519-CERT",
        " SHA256:Xspp2NxCCnW5eU18SFQeWO1gnP3Hk/JXAdZjqD9LUhk", " ID ", "(serial ", ") CA ", "[preauth]", "sshd[1]: ", "Nov  1 06:11:11 ", "\\n", "\u001b[2J",
        "\u202e", "😀", "аdmin", "\ud800", "\0", "%n%s", "{\"", "\"}", "2026-11-21T06:11:11Z ", "<86>", "99999999999999999999", "Disconnected from user ", ",", "-",
    ];

    public static string Next(Random random, int length)
    {
        var text = "";
        for (var n = random.Next(12); n > 0; n--)
        {
            text += Pieces[random.Next(Pieces.Length)];
        }

        return text.Length > length ? text[..length] : text;
    }
}
