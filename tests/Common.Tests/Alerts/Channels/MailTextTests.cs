using System.Collections.Immutable;
using System.Text;
using Common.Alerts;
using Common.Alerts.Mail;
using Testing;

namespace Common.Tests.Alerts.Channels;

public sealed class MailTextTests
{
    private static readonly ImmutableArray<string> To = ["alice@example.net", "bob@example.org"];
    private static readonly OutgoingMessage Message = new("7F3K", "", "home LOGIN: alice #7F3K") { Severity = Severity.Critical, RaisedAt = FakeTime.Epoch };

    [Fact]
    public void Header_says_who_what_when_and_that_no_machine_need_answer()
    {
        var mail = MailText.Compose(Message, "home@example.com", To);

        Assert.StartsWith("From: <home@example.com>\r\nTo: <alice@example.net>, <bob@example.org>\r\nSubject: home LOGIN: alice #7F3K\r\nDate: Thu, 01 Jan 2026 00:00:00 +0000\r\n", mail, StringComparison.Ordinal);
        Assert.Contains("\r\nMessage-ID: <7F3K.20260101000000@example.com>\r\n", mail, StringComparison.Ordinal);
        Assert.Contains("\r\nAuto-Submitted: auto-generated\r\n", mail, StringComparison.Ordinal);
        Assert.Contains("\r\nImportance: high\r\n", mail, StringComparison.Ordinal);
        Assert.Equal(Message.Text + "\r\n", BodyOf(mail));
    }

    [Fact]
    public void The_same_alert_gives_the_same_bytes() =>
        Assert.Equal(MailText.Compose(Message, "home@example.com", To), MailText.Compose(Message with { }, "home@example.com", To));

    [Theory]
    [InlineData("a\r\nBcc: eve@example.com")]
    [InlineData("a\n\nbody")]
    [InlineData("=?utf-8?B?QmNj?=")]
    [InlineData("Jiří 日本 😀 \u202E")]
    public void No_text_makes_a_header_line(string text)
    {
        var mail = MailText.Compose(Message with { Text = text }, "home@example.com", To);

        var header = mail[..mail.IndexOf("\r\n\r\n", StringComparison.Ordinal)].Split("\r\n");
        Assert.DoesNotContain(header, line => line.StartsWith("Bcc", StringComparison.OrdinalIgnoreCase));
        Assert.All(header, line => Assert.True(Ascii.IsValid(line) && line.Length <= 78, line));
        Assert.Equal(header.Length, header.Count(line => line.Contains(": ", StringComparison.Ordinal) || line[0] == ' '));
    }

    [Fact]
    public void A_long_subject_of_many_letters_is_encoded_in_words_that_end_between_letters()
    {
        var mail = MailText.Compose(Message with { Text = string.Concat(Enumerable.Repeat("😀ř", 30)) }, "home@example.com", To);

        var words = mail.Split("\r\n").SkipWhile(l => !l.StartsWith("Subject", StringComparison.Ordinal)).TakeWhile(l => l.StartsWith("Subject", StringComparison.Ordinal) || l[0] == ' ')
            .Select(l => l.Replace("Subject: ", "", StringComparison.Ordinal).Trim()).ToList();
        Assert.True(words.Count > 2);
        Assert.All(words, word => Assert.InRange(word.Length, 12, 75));
        Assert.Equal(string.Concat(Enumerable.Repeat("😀ř", 30)), string.Concat(words.Select(w => new UTF8Encoding(false, true).GetString(Convert.FromBase64String(w[10..^2])))));
    }

    [Theory]
    [InlineData("alice@example.net", true)]
    [InlineData("a.b+c@mail.example.net", true)]
    [InlineData("alice", false)]
    [InlineData("alice@", false)]
    [InlineData("@example.net", false)]
    [InlineData("a@b@c.net", false)]
    [InlineData("alice@example.net>", false)]
    [InlineData("a b@example.net", false)]
    [InlineData("a@example.net\r\nRCPT TO:<eve@example.com>", false)]
    [InlineData("a,b@example.net", false)]
    public void Addresses(string address, bool good) => Assert.Equal(good, MailOptions.IsAddress(address));

    private static string BodyOf(string mail) =>
        Encoding.UTF8.GetString(Convert.FromBase64String(mail[(mail.IndexOf("\r\n\r\n", StringComparison.Ordinal) + 4)..].Replace("\r\n", "", StringComparison.Ordinal)));
}
