using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography;
using Common.Alerts.Http;
using Common.Net;

namespace Common.Alerts.Mail;

/// <summary>
/// Mail by submission to the owner's mail server, with TLS. Accepted by that server is all the confirmation there is; the Message-ID
/// is the event's, so a message sent again after an unclear answer is known as the same one.
/// </summary>
public sealed class MailChannel : IMessageChannel
{
    public const string ChannelName = "mail";

    private static readonly TimeSpan GoodbyeTimeout = TimeSpan.FromSeconds(2);

    private readonly MailOptions _options;
    private readonly TimeProvider _time;

    /// <exception cref="ArgumentException">The options cannot work.</exception>
    public MailChannel(MailOptions options, TimeProvider time)
    {
        if (options.Fault() is { } fault)
        {
            throw new ArgumentException(fault, nameof(options));
        }

        _options = options;
        _time = time;
    }

    public string Name => ChannelName;

    public Repetition Repetition => Repetition.Unseen;

    public async Task<SendOutcome> SendAsync(OutgoingMessage message, CancellationToken ct)
    {
        var to = MailOptions.Split(message.Recipient);
        if (to.IsEmpty || !to.All(MailOptions.IsAddress))
        {
            return new SendOutcome.Refused("553", "no mail address: correct mail.to", RefusalScope.Recipient);
        }

        SmtpSubmission? submission = null;
        try
        {
            using var late = new CancellationTokenSource(_options.Timeout, _time);
            using var either = CancellationTokenSource.CreateLinkedTokenSource(ct, late.Token);
            var password = _options.SecretFile is { } file ? await ChannelSecret.ReadAsync(file, either.Token) : null;
            await using var server = new SmtpConnection(await NamedConnection.OpenAsync(_options.Host, _options.Port, _time, either.Token));
            submission = new SmtpSubmission(server, _options, password, Tls());
            var outcome = await submission.SendAsync(MailText.Compose(message, _options.From, to), to, either.Token);
            await QuitAsync(server);
            return outcome;
        }
        catch (Exception e) when (GatewayHttp.IsNoAnswer(e) || e is SocketException or AuthenticationException or InvalidDataException)
        {
            return submission is { MayBeSent: true } ? new SendOutcome.Unclear(Words(e)) : new SendOutcome.NotNow(Words(e), null);
        }
    }

    private SslClientAuthenticationOptions Tls() => new()
    {
        TargetHost = _options.Host,
        CertificateChainPolicy = _options.CaFile is { } ca ? PrivateRoot.Policy(ca) : null,
    };

    /// <summary>A courtesy: the message is with the server whether it hears this or not.</summary>
    private async Task QuitAsync(SmtpConnection server)
    {
        try
        {
            using var late = new CancellationTokenSource(GoodbyeTimeout, _time);
            await server.AskAsync("QUIT", late.Token);
        }
        catch (Exception e) when (GatewayHttp.IsNoAnswer(e) || e is InvalidDataException)
        {
            return;
        }
    }

    private static string Words(Exception e) => e switch
    {
        SocketException => "mail server cannot be reached",
        AuthenticationException or CryptographicException => "mail server's certificate or TLS fails",
        InvalidDataException => "that is no mail server, or somebody stands between",
        _ => GatewayHttp.Words(e),
    };
}
