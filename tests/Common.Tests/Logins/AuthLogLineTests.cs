using Common.Logins;

namespace Common.Tests.Logins;

public sealed class AuthLogLineTests
{
    private static readonly DateTimeOffset Now = new(2026, 11, 21, 7, 0, 0, TimeSpan.Zero);
    private static readonly LineTrust System = new(false, Now);
    private static readonly LineTrust Private = new(true, Now);

    [Theory]
    [InlineData("sshd-9.2-own-file.log", true)]
    [InlineData("syslog-classic.log", false)]
    [InlineData("syslog-rfc3339.log", false)]
    public void Sample_file_gives_the_same_seven_logins_in_each_carrier(string file, bool isPrivate)
    {
        var lines = File.ReadAllLines(Path.Combine("Logins", "Samples", file));

        var logins = lines.Select(l => AuthLogLine.Parse(l, new LineTrust(isPrivate, Now))?.Message).OfType<SshdMessage.Accepted>().ToList();

        Assert.Equal([56688, 46808, 56712, 56744, 56192, 56206, 56208], logins.Select(l => l.From!.Port));
        Assert.All(logins, l => Assert.Equal("root", l.User));
        Assert.All(logins, l => Assert.False(l.Ambiguous));
        Assert.Equal("key id with spaces from 9.9.9.9 port 9 ssh2", logins[2].Key!.Certificate!.Id);
    }

    [Theory]
    [InlineData("Nov 21 06:11:11 host sshd[123]: ")]
    [InlineData("Nov 21 06:11:11 host sshd-session[123]: ")]
    [InlineData("<86>Nov 21 06:11:11 host sshd-auth[123]: ", false)]
    [InlineData("2026-11-21T06:11:11+00:00 host sshd[123]: ")]
    [InlineData("2026-11-21T06:11:11.123456Z host sshd-auth[123]: ")]
    public void Prefix_gives_pid_and_time(string prefix, bool known = true)
    {
        var line = AuthLogLine.Parse(prefix + "Accepted password for a from 192.0.2.7 port 4 ssh2", System);

        Assert.Equal(known, line is not null);
        Assert.Equal(known ? 123 : null, line?.Pid);
        Assert.Equal(known ? new DateTimeOffset(2026, 11, 21, 6, 11, 11, TimeSpan.Zero) : null, line?.At?.AddTicks(-(line.At.Value.Ticks % TimeSpan.TicksPerSecond)));
    }

    [Theory]
    [InlineData("Nov 21 06:11:11 host sudo[123]: Accepted password for a from 192.0.2.7 port 4 ssh2")]
    [InlineData("Nov 21 06:11:11 host su: Accepted password for a from 192.0.2.7 port 4 ssh2")]
    [InlineData("Nov 21 06:11:11 host notsshd[1]: sshd[1]: Accepted password for a from 192.0.2.7 port 4 ssh2")]
    [InlineData("Accepted password for a from 192.0.2.7 port 4 ssh2")]
    [InlineData("")]
    public void Line_of_another_program_is_not_ours(string line) => Assert.Null(AuthLogLine.Parse(line, System));

    [Fact]
    public void Bare_line_is_taken_in_a_private_setup_only()
    {
        const string Line = "Accepted password for a from 192.0.2.7 port 4 ssh2\r";

        Assert.IsType<SshdMessage.Accepted>(AuthLogLine.Parse(Line, Private)!.Message);
        Assert.IsType<SshdMessage.Accepted>(AuthLogLine.Parse("sshd: " + Line, Private)!.Message);
        Assert.Null(AuthLogLine.Parse(Line, System));
    }

    [Fact]
    public void December_line_read_in_january_is_last_years()
    {
        var january = new LineTrust(false, new DateTimeOffset(2027, 1, 1, 0, 0, 5, TimeSpan.FromHours(1)));

        var line = AuthLogLine.Parse("Dec 31 23:59:59 host sshd[1]: x", january);

        Assert.Equal(new DateTimeOffset(2026, 12, 31, 23, 59, 59, TimeSpan.FromHours(1)), line!.At);
    }

    [Theory]
    [InlineData("Feb 29 00:00:00 host sshd[1]: x")]
    [InlineData("Nov 31 00:00:00 host sshd[1]: x")]
    [InlineData("0000-00-00T00:00:00Z host sshd[1]: x")]
    [InlineData("Nov 21 06:11:11")]
    [InlineData("Nov 21 06:11:11 ")]
    [InlineData("Nov 21 06:11:11 host")]
    [InlineData("Nov 21 06:11:11 host :")]
    [InlineData("Nov 21 06:11:11 host sshd[")]
    [InlineData("Nov 21 06:11:11 host sshd[99999999999]: x")]
    public void Odd_prefixes_never_throw(string line)
    {
        AuthLogLine.Parse(line, System);
        AuthLogLine.Parse(line, Private);
    }

    [Fact]
    public void Random_text_never_throws()
    {
        var random = new Random(7);
        for (var round = 0; round < 5_000; round++)
        {
            var text = HostileText.Next(random, 400);
            AuthLogLine.Parse(text, Private);
            AuthLogLine.Parse("Nov 21 06:11:11 host sshd[123]: " + text, new LineTrust(false, DateTimeOffset.MinValue));
            AuthLogLine.Parse("Feb 29 06:11:11 " + text, new LineTrust(false, DateTimeOffset.MaxValue));
        }
    }
}
