using System.Collections.Immutable;
using System.Globalization;
using System.Text;
using System.Text.Json;
using Common.Alerts;
using Common.Alerts.Mail;
using Common.Alerts.Telegram;
using Common.Alerts.Webhook;
using Common.Configuration;
using Common.Text;
using Testing;

namespace Common.Tests.Alerts.Channels;

/// <summary>One corpus of hostile names through every place where words from outside are shown.</summary>
public sealed class HostileTextTests : IDisposable
{
    private readonly SecretFolder _secrets = new();
    private readonly ScriptedHttp _http = new();

    public static TheoryData<string> Corpus =>
    [
        "a from 10.0.0.1 port 22 ssh2", "x x x 1.2.3.4", "", new string('n', 300), "-oProxyCommand=sh", ":style", "%n%s%x", "$(id)", "`id`", "'; DROP TABLE alerts; --",
        "\"}", "{\"a\":1}", "{text}", "{{id}}", "a\r\nBcc: eve@example.com", "a\n.\r\nQUIT", "\u001b[2J", "\u001b]8;;http://x.example\u0007link\u001b]8;;\u0007", "\u001b]52;c;aGk=\u0007",
        "\a\b\f\v\t\0\u007f", "\u0085\u009b31m", "ali\u202Eec", "\u2066x\u2069", "a\u2028b\u2029c", "al\u200Bi\u200Dce\uFEFF", "x\U000E0041\U000E007F", "😀👩‍👩‍👧", "e" + string.Concat(Enumerable.Repeat("\u0301", 100)),
        "\uD800lone", "lone\uDC00", "\u0430dmin", "*bold*_[x](http://x.example)_", "<b>x</b><script>", "<!channel> <@U1>", "@everyone @here", "||spoiler||", "=?utf-8?B?QmNj?=", "STOP", "START YES",
        "\u3164\u2800", "ﷺ", "日本\u3000語", "~^[]{}|\\€",
    ];

    public void Dispose()
    {
        _secrets.Dispose();
        _http.Dispose();
    }

    [Theory]
    [MemberData(nameof(Corpus))]
    public void A_text_message_is_one_segment_of_GSM_letters_that_ends_in_its_id(string name)
    {
        name = Raw(name);
        var text = LoginText.Compose("home", FakeTime.Epoch, name, name, System.Net.IPAddress.Loopback, LoginFlags.NewUser, name, "7F3K");

        Assert.True(SmsText.IsGsm7(text), text);
        Assert.InRange(SmsText.Septets(text), 1, 160);
        Assert.EndsWith(" #7F3K", text, StringComparison.Ordinal);
        AssertTame(text);
    }

    [Theory]
    [MemberData(nameof(Corpus))]
    public async Task Telegram_gets_tame_plain_text(string name)
    {
        name = Raw(name);
        _http.Otherwise = () => new HttpResponseMessage { Content = new StringContent("""{"ok":true,"result":{"message_id":1}}""") };
        var channel = new TelegramChannel(() => _http.Client, new TelegramOptions(new Uri(TelegramOptions.PublicAddress), _secrets.Put("t", "1:abcdefghijklmnopqrstuvwxyz")), new FakeTime());

        await channel.SendAsync(Message(name) with { Recipient = "5" }, CancellationToken.None);

        var json = JsonDocument.Parse(_http.Requests[0].Body).RootElement;
        var text = json.GetProperty("text").GetString()!;
        Assert.Equal(["chat_id", "text", "link_preview_options"], json.EnumerateObject().Select(p => p.Name));
        Assert.InRange(text.Length, 1, 4096);
        Assert.Equal(2, text.Split('\n').Length);
        Assert.All(text.Split('\n'), AssertTame);
    }

    [Theory]
    [MemberData(nameof(Corpus))]
    public void A_mail_keeps_its_header_and_shows_tame_words(string name)
    {
        name = Raw(name);
        var mail = MailText.Compose(Message(name), "home@example.com", ["alice@example.net"]);

        var parts = mail.Split("\r\n\r\n", 2);
        Assert.Equal(
            ["From", "To", "Subject", "Date", "Message-ID", "Auto-Submitted", "X-Auto-Response-Suppress", "MIME-Version", "Content-Type", "Content-Transfer-Encoding"],
            parts[0].Split("\r\n").Where(l => l[0] != ' ').Select(l => l.Split(':')[0]));
        Assert.True(Ascii.IsValid(mail));
        Assert.DoesNotContain(mail.Split("\r\n"), line => line == "." || line.Contains('\n') || line.Contains('\r'));
        var body = Encoding.UTF8.GetString(Convert.FromBase64String(parts[1].Replace("\r\n", "", StringComparison.Ordinal)));
        Assert.All(body.TrimEnd().Split("\r\n"), AssertTame);
    }

    [Theory]
    [MemberData(nameof(Corpus))]
    public async Task A_webhook_of_every_shape_gets_JSON_of_its_own_shape(string name)
    {
        name = Raw(name);
        foreach (var shape in WebhookShape.Shipped.Append(WebhookShape.Own(WebhookTemplate.Parse("""{"m": ["{text}"], "k": "{kind}"}"""))))
        {
            _http.Requests.Clear();
            var options = new WebhookOptions("home", shape, new Uri("https://hooks.example.net/topic"), null, KeyFile: _secrets.Put("k", "key"));
            Assert.IsType<SendOutcome.Handed>(await new WebhookChannel(() => _http.Client, options, new FakeTime()).SendAsync(Message(name), CancellationToken.None));

            using var plain = JsonDocument.Parse(shape.Template.Fill(ImmutableDictionary<string, string>.Empty));
            using var filled = JsonDocument.Parse(_http.Requests[0].Body);
            Assert.Equal(Shape(plain.RootElement), Shape(filled.RootElement));
            Assert.All(Strings(filled.RootElement), text => Assert.InRange(text.Split('\n').Length, 1, 2));
            Assert.All(Strings(filled.RootElement).SelectMany(text => text.Split('\n')), AssertTame);
        }
    }

    [Theory]
    [MemberData(nameof(Corpus))]
    public void A_log_line_a_terminal_and_an_error_stay_one_line(string name)
    {
        name = Raw(name);
        AssertTame(SafeText.Clean(name));
        AssertTame(SafeText.Clean(Encoding.UTF8.GetBytes(name.Replace("\uD800", "", StringComparison.Ordinal))));
        AssertTame(new AlertDetail("user", SafeText.Clean(name)).Value);
        Assert.Equal(2, new ConfigurationError("key", name, "reason", 1).ToLine().Count(c => c == '\t'));
        AssertTame(new ConfigurationError("key", name, "reason", 1).ToLine().Replace("\t", "", StringComparison.Ordinal));
    }

    /// <summary>Half a letter does not survive the way of test data into a test.</summary>
    private static string Raw(string name) => name.Replace('\uFFFD', '\uD800');

    private static OutgoingMessage Message(string name) => new("7F3K", "webhook", $"home LOGIN: {name} #7F3K")
    {
        Kind = name,
        Severity = Severity.High,
        RaisedAt = FakeTime.Epoch,
        Details = [new AlertDetail("user", name)],
    };

    /// <summary>One line, every character of it visible, whole, and read in its own direction.</summary>
    private static void AssertTame(string text)
    {
        foreach (var rune in text.EnumerateRunes())
        {
            Assert.True(rune != Rune.ReplacementChar, $"half a letter in {text}");
            Assert.False(
                rune.Value != ' ' && Rune.GetUnicodeCategory(rune) is UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator,
                $"U+{rune.Value:X4} in {text}");
        }
    }

    /// <summary>Names and kinds, without the values; a number may stand where a string was empty.</summary>
    private static string Shape(JsonElement element) => element.ValueKind switch
    {
        JsonValueKind.Object => "{" + string.Join(',', element.EnumerateObject().Select(p => p.Name + ":" + Shape(p.Value))) + "}",
        JsonValueKind.Array => "[" + string.Join(',', element.EnumerateArray().Select(Shape)) + "]",
        JsonValueKind.String or JsonValueKind.Number => "value",
        var other => other.ToString(),
    };

    private static IEnumerable<string> Strings(JsonElement element) => element.ValueKind switch
    {
        JsonValueKind.Object => element.EnumerateObject().SelectMany(p => Strings(p.Value)),
        JsonValueKind.Array => element.EnumerateArray().SelectMany(Strings),
        JsonValueKind.String => [element.GetString()!],
        _ => [],
    };
}
