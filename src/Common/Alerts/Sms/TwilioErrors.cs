using System.Collections.Frozen;

namespace Common.Alerts.Sms;

/// <param name="Advice">What it is, and what the owner does about it.</param>
public sealed record TwilioError(int Code, FailureCure Cure, string Advice)
{
    /// <summary>Asks to slow down: certainly not sent.</summary>
    public bool SlowDown { get; init; }

    /// <summary>Whom else it concerns until somebody acts.</summary>
    public RefusalScope Scope { get; init; } = RefusalScope.Message;
}

/// <summary>Twilio's error codes, as data: they change, and only those that call for something of their own are here.</summary>
public static class TwilioErrors
{
    private static readonly FrozenDictionary<int, TwilioError> Known = new[]
    {
        new TwilioError(10001, FailureCure.None, "account not active: see the console at Twilio") { Scope = RefusalScope.Channel },
        new TwilioError(20003, FailureCure.None, "key refused: make a new API key at Twilio and put its secret in place (internalhost secret)") { Scope = RefusalScope.Channel },
        new TwilioError(20404, FailureCure.None, "no such account or message: check the account SID") { Scope = RefusalScope.Channel },
        new TwilioError(20429, FailureCure.Later, "too many requests") { SlowDown = true },
        new TwilioError(21211, FailureCure.None, "recipient's number is not valid: correct it in people") { Scope = RefusalScope.Recipient },
        new TwilioError(21212, FailureCure.None, "sender's number is not valid: correct messages.sms.from") { Scope = RefusalScope.Channel },
        new TwilioError(21266, FailureCure.None, "recipient's number is the sender's own: correct it in people") { Scope = RefusalScope.Recipient },
        new TwilioError(21408, FailureCure.None, "this country is not allowed: switch it on under Messaging, Geo permissions") { Scope = RefusalScope.Recipient },
        new TwilioError(21602, FailureCure.None, "message without a text: report this as a fault of ours"),
        new TwilioError(21603, FailureCure.None, "no sender: set messages.sms.from") { Scope = RefusalScope.Channel },
        new TwilioError(21604, FailureCure.None, "no recipient: set a number in people") { Scope = RefusalScope.Recipient },
        new TwilioError(21606, FailureCure.None, "sender's number is not ours or cannot send SMS: check messages.sms.from") { Scope = RefusalScope.Channel },
        new TwilioError(21608, FailureCure.None, "trial account: verify the recipient's number at Twilio, or upgrade the account") { Scope = RefusalScope.Recipient },
        new TwilioError(21610, FailureCure.None, "recipient has answered STOP: send START from that phone to the sender's number") { Scope = RefusalScope.Recipient },
        new TwilioError(21611, FailureCure.Later, "the sender's queue is full") { SlowDown = true },
        new TwilioError(21612, FailureCure.None, "this sender cannot reach this recipient: use another sender's number") { Scope = RefusalScope.Recipient },
        new TwilioError(21614, FailureCure.None, "recipient's number is no mobile phone: correct it in people") { Scope = RefusalScope.Recipient },
        new TwilioError(21617, FailureCure.None, "text too long: report this as a fault of ours"),
        new TwilioError(21659, FailureCure.None, "sender's number is not of this account: check messages.sms.from") { Scope = RefusalScope.Channel },
        new TwilioError(30001, FailureCure.Later, "queue overflow at Twilio"),
        new TwilioError(30002, FailureCure.None, "account suspended: top it up or ask Twilio's support") { Scope = RefusalScope.Channel },
        new TwilioError(30003, FailureCure.Later, "phone unreachable or switched off"),
        new TwilioError(30004, FailureCure.None, "recipient blocks this sender: unblock it, or use another sender's number") { Scope = RefusalScope.Recipient },
        new TwilioError(30005, FailureCure.None, "recipient's number does not exist: correct it in people") { Scope = RefusalScope.Recipient },
        new TwilioError(30006, FailureCure.None, "landline or carrier that takes no SMS: correct the number in people") { Scope = RefusalScope.Recipient },
        new TwilioError(30007, FailureCure.Plainer, "filtered by the carrier: register the sender, save it as a contact"),
        new TwilioError(30008, FailureCure.Later, "the carrier gives no reason"),
        new TwilioError(30022, FailureCure.Later, "too many messages for this 10DLC campaign") { SlowDown = true },
        new TwilioError(30032, FailureCure.None, "toll-free number is not verified: finish the verification at Twilio") { Scope = RefusalScope.Channel },
        new TwilioError(30034, FailureCure.None, "number is not registered for 10DLC: register brand and campaign at Twilio") { Scope = RefusalScope.Channel },
        new TwilioError(30036, FailureCure.Later, "not delivered within its validity period"),
        new TwilioError(63038, FailureCure.None, "daily limit of the account reached: raise it at Twilio") { Scope = RefusalScope.Channel },
        new TwilioError(90007, FailureCure.None, "validity period refused: report this as a fault of ours"),
    }.ToFrozenDictionary(e => e.Code);

    public static IEnumerable<TwilioError> All => Known.Values;

    /// <summary>A code that is not known may be anything: resending is the owner's decision.</summary>
    public static TwilioError Of(int code) =>
        Known.GetValueOrDefault(code) ?? new TwilioError(code, FailureCure.None, $"see twilio.com/docs/api/errors/{code}");
}
