using System.Collections.Immutable;
using Common.Configuration;

namespace Common.Alerts.Mail;

public enum MailSecurity
{
    Unknown = 0,

    /// <summary>Port 587: refused where the server does not offer it.</summary>
    StartTls = 1,

    /// <summary>Port 465: TLS from the first byte.</summary>
    Implicit = 2,

    /// <summary>A mail server on this machine only.</summary>
    None = 3,
}

/// <param name="User">Null: no authentication (a relay that knows this machine).</param>
/// <param name="SecretFile">File that holds the password; read at each message.</param>
/// <param name="CaFile">PEM of the only root that is believed; null: the system's.</param>
public sealed record MailOptions(
    string Host, int Port, MailSecurity Security, string? User, string? SecretFile, string From, string? CaFile = null)
{
    public const int SubmissionPort = 587;
    public const int ImplicitPort = 465;

    private const int LongestAddress = 254;
    private const char Comma = ',';

    /// <summary>For the whole conversation.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(45);

    /// <summary>What is wrong with them, or null.</summary>
    public string? Fault() => this switch
    {
        _ when !IsAddress(From) => "the sender is no mail address",
        { Security: MailSecurity.None } when !IsLocal(Host) => "tls none is for a mail server on this machine (127.0.0.1) only",
        { User: not null, SecretFile: null } => "a user needs a secret: the password's",
        { User: null, SecretFile: not null } => "a secret needs a user",
        { User: not null, Security: MailSecurity.None } => "a password is not sent without TLS",
        _ => null,
    };

    /// <summary>Plain ASCII, one @, nothing that could end a line, a command or an address.</summary>
    public static bool IsAddress(string address) =>
        address.Length is > 2 and <= LongestAddress && address.Split('@') is [var local, var domain]
        && local.Length > 0 && local.All(c => char.IsAsciiLetterOrDigit(c) || "!#$%&'*+-/=?^_`{|}~.".Contains(c, StringComparison.Ordinal))
        && NetworkValues.HostName(domain).Problem is null;

    /// <summary>Those of one message, as one recipient: a message to three people is one message.</summary>
    public static string Join(IEnumerable<string> addresses) => string.Join(Comma, addresses);

    public static ImmutableArray<string> Split(string recipient) => [.. recipient.Split(Comma, StringSplitOptions.RemoveEmptyEntries)];

    private static bool IsLocal(string host) => host is "localhost" || (System.Net.IPAddress.TryParse(host, out var address) && System.Net.IPAddress.IsLoopback(address));
}
