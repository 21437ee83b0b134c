using System.Globalization;
using Common;
using Common.Alerts;
using Common.Text;
using InternalHost.Wan.Detection;

namespace InternalHost.Messages;

/// <param name="RaisedAt">Local wall time now.</param>
/// <param name="Since">Local wall time of the begin (or the end) of it; null where the clock is not to be trusted.</param>
/// <param name="Observed">Wiring C: others watch the primary for us.</param>
internal sealed record UplinkFacts(string Site, DateTimeOffset RaisedAt, DateTimeOffset? Since, bool Observed);

/// <summary>What the owner is told of an uplink in trouble while no outage is on: what is wrong, what that means, what to do. One SMS segment.</summary>
[PureCore]
internal static class UplinkMessages
{
    private const int SiteLimit = 12;

    public static Alert Of(UplinkNews news, UplinkFacts facts)
    {
        var kind = Kind(news);
        var id = AlertId.From($"inside/{facts.Site}/uplink-{news.Episode}/{kind}");
        var text = SmsText.Fit(id, [SmsText.Field(facts.Site, SiteLimit), .. Words(news, facts)]);
        return new Alert(id, kind, Urgency(news), text, facts.RaisedAt, $"uplink-{(int)news.Trouble}-{news.Episode}");
    }

    private static string Kind(UplinkNews news) => (news.Trouble, news.Over) switch
    {
        (UplinkTrouble.PrimaryNeverUp, _) => "primary-never-up",
        (UplinkTrouble.PrimarySilent, _) => "primary-silent",
        (UplinkTrouble.PrimaryDegraded, _) => "primary-degraded",
        (UplinkTrouble.BackupUnusable, false) => "backup-down",
        (UplinkTrouble.BackupUnusable, true) => "backup-back",
        _ => throw new InvalidOperationException($"no words for {news.Trouble}"),
    };

    private static Severity Urgency(UplinkNews news) =>
        news.Over || news.Trouble == UplinkTrouble.PrimaryDegraded ? Severity.Normal : Severity.High;

    private static SmsPart[] Words(UplinkNews news, UplinkFacts facts) => news.Trouble switch
    {
        UplinkTrouble.BackupUnusable when news.Over => [": backup works again", Since(facts, ""), ". The way in is ready for an outage."],
        UplinkTrouble.BackupUnusable =>
            [": backup ", Backup(news.Reason), Since(facts, " since"), ". If the primary dies now, no way in", ".", SmsPart.Optional(1, $" {BackupCure(news.Reason)}")],
        UplinkTrouble.PrimaryNeverUp when news.Reason == Reasons.Egress =>
            [": what should leave by the primary leaves by the backup, so an outage cannot be seen", SmsPart.Optional(1, ". For the rules: internalhost doctor"), "."],
        UplinkTrouble.PrimaryNeverUp =>
            [": primary was never seen up as it is wired now, so an outage cannot be seen", SmsPart.Optional(1, ". What is wrong: internalhost doctor"), "."],
        UplinkTrouble.PrimarySilent =>
            [": nothing tells me of the primary", Since(facts, " since"), ", so an outage cannot be seen", SmsPart.Optional(1, facts.Observed ? ". Who should: internalhost doctor" : ". Why: journalctl -u internalhost"), "."],
        _ => [": primary ", Degraded(news.Reason), Since(facts, " since"), ". It counts as up", SmsPart.Optional(1, ". For a way in all the same: start the VM in the cloud app"), "."],
    };

    private static SmsPart Since(UplinkFacts facts, string word) =>
        SmsPart.Optional(2, facts.Since is { } at ? word + at.ToString(" HH:mm", CultureInfo.InvariantCulture) : "");

    private static string Backup(string reason) => reason switch
    {
        Reasons.Egress => "leaves by the primary's line",
        Reasons.NeverUp => "was never seen up as it is wired now",
        Reasons.Portal or Reasons.Walled or Reasons.Hijack => "answers but lets nothing out",
        Reasons.IspOnly => "does not get past its provider",
        Reasons.NoPath => "has no route",
        Reasons.Carrier => "has no link",
        _ => "is down",
    };

    private static string BackupCure(string reason) => reason switch
    {
        Reasons.Egress or Reasons.NeverUp or Reasons.NoPath => "What is wrong: internalhost doctor.",
        Reasons.Portal or Reasons.Walled or Reasons.Hijack => "Is its data plan used up?",
        Reasons.Carrier => "Is its modem on, its cable in?",
        _ => "Restart its modem; I keep trying.",
    };

    private static string Degraded(string reason) => reason switch
    {
        Reasons.Slow => "is far slower than usual",
        Reasons.FamilyLost => "has lost IPv4 or IPv6",
        Reasons.Hijack => "gets forged name answers",
        Reasons.Portal => "shows a sign-in page",
        _ => "loses packets",
    };
}
