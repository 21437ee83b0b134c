using Common;
using Common.Alerts;
using Common.Text;
using InternalHost.Sync;

namespace InternalHost.Messages;

/// <summary>What the owner is told when the bastion could not be brought up to date: what that means, why, what to do. One SMS segment.</summary>
[PureCore]
internal static class SyncMessages
{
    private const int SiteLimit = 12;
    private const int DetailLimit = 40;

    /// <param name="occasion">The same for what is told once.</param>
    public static Alert Of(SyncProblem problem, string site, string occasion, DateTimeOffset raisedAt)
    {
        var id = AlertId.From($"inside/{site}/sync/{occasion}/{(int)problem.Failure}");
        var text = SmsText.Fit(id, [SmsText.Field(site, SiteLimit), .. Words(problem)]);
        return new Alert(id, "sync", problem.Failure == SyncFailure.SecretMissing ? Severity.Normal : Severity.High, text, raisedAt);
    }

    private static SmsPart[] Words(SyncProblem problem) => problem.Failure == SyncFailure.SecretMissing
        ? [": the bastion was told without a channel; cannot read ", SmsText.Field(problem.Detail, DetailLimit), SmsPart.Optional(1, ". See: internalhost check-config"), "."]
        : [": the bastion has old keys of people, or none: ", Why(problem), ". The tunnel holds", SmsPart.Optional(1, $". {Cure(problem.Failure)}"), "."];

    private static string Why(SyncProblem problem) => problem.Failure switch
    {
        SyncFailure.Unreachable => "it was not reached for that",
        SyncFailure.Denied => "it refuses our login for that",
        SyncFailure.HostKeyChanged => "another host key answered",
        SyncFailure.NoAnswer => "it gives no answer",
        SyncFailure.Garbled => "its answer makes no sense",
        SyncFailure.NotSignedHere => "our key cannot sign",
        SyncFailure.TooLong => "they are too many",
        SyncFailure.NotSigned => "it does not know our signature",
        SyncFailure.Old => "it says ours are older than its own",
        SyncFailure.Format => "its version is too old",
        SyncFailure.Invalid => $"it says {SmsText.Field(problem.Detail, DetailLimit)}",
        _ => "it failed there",
    };

    private static string Cure(SyncFailure failure) => failure switch
    {
        SyncFailure.Denied or SyncFailure.Format => "Upgrade bastion there",
        SyncFailure.NotSigned => "There: bastion install with our key",
        SyncFailure.NotSignedHere => "Here: internalhost doctor",
        SyncFailure.HostKeyChanged => "Accept no new key on your phone",
        SyncFailure.Old => "Another machine may use our key",
        SyncFailure.Invalid or SyncFailure.TooLong => "Mend it here, then reload",
        _ => "I keep trying",
    };
}
