namespace Common.Alerts.Sms;

/// <param name="BaseUrl">https://api.twilio.com; http for loopback only.</param>
/// <param name="KeyName">API key SID (or the account SID): the basic-auth user.</param>
/// <param name="SecretFile">File that holds the key's secret; read at each request, so that a new one counts at once.</param>
/// <param name="From">E.164 number, or a messaging service (MG...).</param>
public sealed record TwilioOptions(Uri BaseUrl, string AccountSid, string KeyName, string SecretFile, string From)
{
    /// <summary>How long Twilio may keep a message it cannot send at once. An hour later the news is old.</summary>
    public TimeSpan ValidityPeriod { get; init; } = TimeSpan.FromHours(1);

    public TimeSpan Timeout { get; init; } = Http.GatewayHttp.Patience;

    /// <summary>What is wrong with them, or null. The words name no value: numbers and secrets stay out of messages.</summary>
    public string? Fault() => this switch
    {
        _ when BaseUrlFault(BaseUrl) is { } fault => fault,
        _ when !IsSid(AccountSid, "AC") => "the account SID begins with AC and has letters and digits only",
        _ when string.IsNullOrWhiteSpace(KeyName) || KeyName.Contains(':', StringComparison.Ordinal) => "the key name is empty or has a colon",
        _ when !IsE164(From) && !IsMessagingService => "the sender is no number in international form (+15551230009) and no messaging service (MG...)",
        _ when ValidityPeriod < TimeSpan.FromSeconds(1) || ValidityPeriod > TimeSpan.FromHours(10) => "the validity period is not between 1 s and 10 h",
        _ => null,
    };

    public bool IsMessagingService => IsSid(From, "MG");

    public static string? BaseUrlFault(Uri url) => url switch
    {
        { IsAbsoluteUri: false } => "the gateway's address is not a whole URL (https://...)",
        { UserInfo.Length: > 0 } => "the gateway's address holds a user name: credentials belong into the secret",
        { Scheme: "https" } => null,
        { Scheme: "http", IsLoopback: true } => null,
        { Scheme: "http" } => "http is allowed for loopback only: the key would be readable on the way",
        _ => "the gateway's address is neither https nor http",
    };

    /// <summary>+, a country code that does not begin with 0, 7 to 15 digits in all (ITU-T E.164).</summary>
    public static bool IsE164(string number) =>
        number.Length is >= 8 and <= 16 && number[0] == '+' && number[1] != '0' && number.AsSpan(1).IndexOfAnyExceptInRange('0', '9') < 0;

    /// <summary>Two letters that say what it is, then letters and digits: nothing that could change a path.</summary>
    private static bool IsSid(string sid, string kind) =>
        sid.Length is > 2 and <= 66 && sid.StartsWith(kind, StringComparison.Ordinal) && sid.All(char.IsAsciiLetterOrDigit);
}
