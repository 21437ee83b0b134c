using System.Text;
using System.Text.Json;
using Common.Logins;

namespace Common.Tests.Logins;

public sealed class JournalEntryTests
{
    private const string Message = "Accepted password for a from 192.0.2.7 port 4 ssh2";

    [Theory]
    [InlineData("sshd", "/usr/sbin/sshd")]
    [InlineData("sshd-session", "/usr/lib/openssh/sshd-session")]
    [InlineData("sshd-auth", null)]
    public void Root_sshd_is_trusted(string identifier, string? exe)
    {
        var entry = JournalEntry.Parse(Json("0", identifier, exe, $"\"{Message}\""), null);

        Assert.IsType<SshdMessage.Accepted>(entry!.Line!.Message);
        Assert.Equal(321, entry.Line.Pid);
        Assert.Equal("s=1;i=2", entry.Cursor);
        Assert.Equal(DateTimeOffset.UnixEpoch.AddSeconds(1763700000), entry.Line.At);
    }

    [Theory]
    [InlineData("1000", "sshd", "/usr/sbin/sshd")]
    [InlineData("0", "sshd", "/usr/bin/logger")]
    [InlineData("0", "su", "/usr/sbin/sshd")]
    [InlineData("00", "sshd", "/usr/sbin/sshd")]
    public void Forged_entry_moves_the_cursor_and_says_nothing(string uid, string identifier, string exe)
    {
        var entry = JournalEntry.Parse(Json(uid, identifier, exe, $"\"{Message}\""), null);

        Assert.Null(entry!.Line);
        Assert.Equal("s=1;i=2", entry.Cursor);
    }

    [Fact]
    public void Own_uid_is_trusted_in_a_private_setup()
    {
        var json = Json("1000", "sshd", "/usr/sbin/sshd", $"\"{Message}\"");

        Assert.NotNull(JournalEntry.Parse(json, 1000)!.Line);
        Assert.Null(JournalEntry.Parse(json, 1001)!.Line);
    }

    [Fact]
    public void Message_as_bytes_is_decoded_and_bad_bytes_are_shown()
    {
        var bytes = string.Join(',', Encoding.UTF8.GetBytes("Failed password for ").Append((byte)0xff).Concat(Encoding.UTF8.GetBytes(" from 192.0.2.7 port 4 ssh2")));

        var entry = JournalEntry.Parse(Json("0", "sshd", null, $"[{bytes}]"), null);

        var failed = Assert.IsType<SshdMessage.Failed>(entry!.Line!.Message);
        Assert.Equal("\\xff", failed.User);
    }

    [Theory]
    [InlineData("[300]")]
    [InlineData("[\"a\",\"b\"]")]
    [InlineData("null")]
    [InlineData("{}")]
    public void Message_of_another_shape_says_nothing(string message) => Assert.Null(JournalEntry.Parse(Json("0", "sshd", null, message), null)!.Line);

    [Theory]
    [InlineData("")]
    [InlineData("{")]
    [InlineData("[]")]
    [InlineData("null")]
    [InlineData("{\"MESSAGE\":\"x\"}")]
    [InlineData("{\"__CURSOR\":\"\\ud800\"}")]
    [InlineData("-- No entries --")]
    public void Line_that_is_no_entry_is_null(string json) => Assert.Null(JournalEntry.Parse(json, null));

    [Fact]
    public void Mutated_entries_never_throw()
    {
        var random = new Random(3);
        var good = Json("0", "sshd", "/usr/sbin/sshd", $"\"{Message}\"");
        for (var round = 0; round < 5_000; round++)
        {
            var text = good.ToCharArray();
            for (var n = random.Next(1, 6); n > 0; n--)
            {
                text[random.Next(text.Length)] = "\"\\{}[]:,0\u0000\ud800x"[random.Next(12)];
            }

            JournalEntry.Parse(new string(text), 1000);
        }
    }

    private static string Json(string uid, string identifier, string? exe, string message) =>
        $$"""{"__CURSOR":"s=1;i=2","__REALTIME_TIMESTAMP":"1763700000000000","_UID":"{{uid}}","_PID":"321","SYSLOG_IDENTIFIER":"{{identifier}}",{{(exe is null ? "" : $"\"_EXE\":{JsonSerializer.Serialize(exe)},")}}"MESSAGE":{{message}}}""";
}
