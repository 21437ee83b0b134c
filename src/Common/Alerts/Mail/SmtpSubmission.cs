using System.Collections.Immutable;
using System.Net.Security;
using System.Text;

namespace Common.Alerts.Mail;

/// <summary>
/// One message in one conversation (RFC 6409): greeting, TLS, authentication, envelope, data. Knows at each moment whether the server
/// may have the message: not before the last line of it has begun to leave.
/// </summary>
/// <param name="password">Null where <see cref="MailOptions.User"/> is.</param>
internal sealed class SmtpSubmission(SmtpConnection server, MailOptions options, string? password, SslClientAuthenticationOptions tls)
{
    /// <summary>The message may be with the server.</summary>
    public bool MayBeSent { get; private set; }

    /// <exception cref="IOException">Or another failure of the connection.</exception>
    public async Task<SendOutcome> SendAsync(string text, ImmutableArray<string> to, CancellationToken ct) =>
        await OpenAsync(ct) ?? await EnvelopeAsync(to, ct) ?? await DataAsync(text, ct);

    /// <summary>Null: the server is ready for a message.</summary>
    private async Task<SendOutcome?> OpenAsync(CancellationToken ct)
    {
        if (options.Security == MailSecurity.Implicit)
        {
            await server.SecureAsync(tls, ct);
        }

        if (await server.ReadAsync(ct) is { Ok: false } greeting)
        {
            return No(greeting, "the mail server does not let us in", RefusalScope.Channel);
        }

        var offers = await HelloAsync(ct);
        if (offers.Ok && options.Security == MailSecurity.StartTls)
        {
            if (!offers.Offers("STARTTLS"))
            {
                return new SendOutcome.Refused("starttls", "the mail server offers no STARTTLS, and nothing is sent in clear: use its port 465 (tls: implicit), or another server", RefusalScope.Channel);
            }

            if (await server.AskAsync("STARTTLS", ct) is { Ok: false } refused)
            {
                return No(refused, "the mail server refuses STARTTLS", RefusalScope.Channel);
            }

            await server.SecureAsync(tls, ct);
            offers = await HelloAsync(ct);
        }

        return offers.Ok ? await AuthenticateAsync(offers, ct) : No(offers, "the mail server does not greet us", RefusalScope.Channel);
    }

    /// <summary>Never the name of this machine: the sender's domain is known to the server anyway.</summary>
    private Task<SmtpReply> HelloAsync(CancellationToken ct) => server.AskAsync($"EHLO {options.From[(options.From.IndexOf('@') + 1)..]}", ct);

    private async Task<SendOutcome?> AuthenticateAsync(SmtpReply offers, CancellationToken ct)
    {
        if (options.User is not { } user || password is null)
        {
            return null;
        }

        SmtpReply reply;
        if (offers.OffersAuth("PLAIN"))
        {
            reply = await server.AskAsync($"AUTH PLAIN {Base64($"\0{user}\0{password}")}", ct);
        }
        else if (offers.OffersAuth("LOGIN"))
        {
            reply = await server.AskAsync("AUTH LOGIN", ct);
            reply = reply.Ok ? await server.AskAsync(Base64(user), ct) : reply;
            reply = reply.Ok ? await server.AskAsync(Base64(password), ct) : reply;
        }
        else
        {
            return new SendOutcome.Refused("auth", "the mail server takes neither AUTH PLAIN nor AUTH LOGIN", RefusalScope.Channel);
        }

        return reply.Ok ? null : No(reply, "user or password refused by the mail server", RefusalScope.Channel);
    }

    /// <summary>One recipient that is taken is enough: the message then goes to those who are.</summary>
    private async Task<SendOutcome?> EnvelopeAsync(ImmutableArray<string> to, CancellationToken ct)
    {
        if (await server.AskAsync($"MAIL FROM:<{options.From}>", ct) is { Ok: false } sender)
        {
            return No(sender, "sender refused by the mail server: correct mail.from", RefusalScope.Channel);
        }

        SendOutcome? refusal = null;
        var taken = false;
        foreach (var address in to)
        {
            var reply = await server.AskAsync($"RCPT TO:<{address}>", ct);
            taken |= reply.Ok;
            refusal = reply.Ok ? refusal : No(reply, "recipient refused by the mail server: correct mail.to", RefusalScope.Recipient);
        }

        return taken ? null : refusal;
    }

    private async Task<SendOutcome> DataAsync(string text, CancellationToken ct)
    {
        if (await server.AskAsync("DATA", ct) is { Code: not 354 } refused)
        {
            return No(refused, "message refused by the mail server", RefusalScope.Message);
        }

        await server.WriteAsync(text.Replace("\r\n.", "\r\n..", StringComparison.Ordinal), ct);
        MayBeSent = true;
        var reply = await server.AskAsync(".", ct);
        return reply.Ok ? new SendOutcome.Handed(null) : No(reply, "message refused by the mail server", RefusalScope.Message);
    }

    /// <summary>4xx is for now, 5xx is for good (RFC 5321 4.2.1). The server's own words are not passed on: they quote addresses.</summary>
    private static SendOutcome No(SmtpReply reply, string words, RefusalScope scope) => reply.Code is >= 500 and < 600
        ? new SendOutcome.Refused($"{reply.Code}", words, scope)
        : new SendOutcome.NotNow($"{reply.Code}: {words}", null);

    private static string Base64(string text) => Convert.ToBase64String(Encoding.UTF8.GetBytes(text));
}
