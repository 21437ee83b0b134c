using System.Globalization;
using Common;
using Common.Alerts;
using Common.Text;
using InternalHost.Cloud;

namespace InternalHost.Messages;

/// <summary>
/// What the owner is told about an outage: OPEN, STUCK, CLOSED, and the few things that need him in between. One SMS segment each;
/// what falls away when it is too long falls in a fixed order, never the verb and never half of a command.
/// </summary>
[PureCore]
internal static class OutageMessages
{
    /// <summary><c>home: primary down 02:14, way in open: ssh -J alice@home.example.net:49022 -p 22001 pi@127.0.0.1 (blocked? port 443) #7F3K</c></summary>
    public static Alert Open(OutageFacts outage, WayIn way) => Message(outage, "open", Severity.High, id => WithCommand(
        id, way, outage.SiteText, Cause(outage, "way in open")));

    /// <summary><c>home: VM has a new address, way in open: ssh -J ...</c>: the saved host of a phone may point at the old one.</summary>
    /// <param name="times">How often in this outage.</param>
    public static Alert AddressChanged(OutageFacts outage, WayIn way, int times) => Message(outage, $"address-{times}", Severity.High, id => WithCommand(
        id, way, outage.SiteText, [": VM has a new address, way in open"]));

    /// <summary><c>home: primary down 02:14, way in NOT open: AWS refuses our key. Start VM bastion-home in the cloud app, I will join it. #7F3K</c></summary>
    public static Alert Stuck(OutageFacts outage, WayInProblem problem, VmFacts vm) => Message(outage, "stuck", Severity.Critical, id => SmsText.Fit(
        id,
        [outage.SiteText, .. Cause(outage, "way in NOT open: "), WayInProblems.Reason(problem, vm), SmsPart.Optional(1, Keys(problem, vm)), ". ", WayInProblems.Cure(problem, vm), "."]));

    /// <summary><c>home: primary back 03:02 after 48 min. Way in closed, VM stopped 03:13. Open in 41 s, 1 login, 23 MB of backup, 0.02 USD. #7F3K</c></summary>
    public static Alert Closed(OutageFacts outage, ClosedFacts facts) => Message(outage, "closed", Severity.Normal, id => SmsText.Fit(
        id,
        [
            outage.SiteText,
            outage.Cause == OpenCause.PrimaryDown ? ": primary back" : ":",
            SmsPart.Optional(6, outage.Cause == OpenCause.PrimaryDown ? Clock(facts.BackAt) : ""),
            SmsPart.Optional(7, outage.Cause == OpenCause.PrimaryDown && facts.DownFor is { } down ? $" after {Spell(down)}" : ""),
            outage.Cause == OpenCause.PrimaryDown ? ". Way in closed" : " way in closed",
            facts.VmStopped ? ", VM stopped" : "",
            SmsPart.Optional(5, Clock(facts.ClosedAt)),
            SmsPart.Optional(4, facts.OpenIn is { } open ? $". Open in {Spell(open)}" : ". Was never open"),
            SmsPart.Optional(3, facts.Logins is { } logins ? $", {logins} login{(logins == 1 ? "" : "s")}" : ""),
            SmsPart.Optional(2, facts.BackupBytes is { } bytes ? $", {Bytes(bytes)} of backup" : ""),
            SmsPart.Optional(1, facts.CostUsd is { } cost ? $", {cost.ToString("0.00", CultureInfo.InvariantCulture)} USD" : ""),
            ".",
        ]));

    /// <summary><c>home: you stopped VM bastion-home: way in stays closed until 04:15. To open it: start the VM in the cloud app. #7F3K</c></summary>
    /// <param name="until">Local wall time; null: say how long instead.</param>
    public static Alert StoppedByOwner(OutageFacts outage, VmFacts vm, TimeSpan stay, DateTimeOffset? until) => Message(
        outage, "stopped-by-owner", Severity.High, id => SmsText.Fit(
            id,
            outage.SiteText,
            $": you stopped VM {vm.Name}: way in stays closed ",
            until is null ? $"for {Spell(stay)}" : $"until{Clock(until)}",
            SmsPart.Optional(1, ". To open it: start the VM in the cloud app"),
            "."));

    /// <summary><c>home: VM bastion-home does NOT stop (AWS refuses our key) since 03:13 and costs money. Stop it in the cloud app; I keep trying. #7F3K</c></summary>
    public static Alert StopFailing(OutageFacts outage, CloudFailure failure, VmFacts vm, DateTimeOffset? since) => Message(
        outage, "stop-failing", Severity.High, id => SmsText.Fit(
            id,
            $"{outage.SiteText}: VM {vm.Name} does NOT stop",
            SmsPart.Optional(2, $" ({StopReason(failure, vm)})"),
            SmsPart.Optional(1, since is null ? "" : $" since{Clock(since)}"),
            " and costs money. Stop it in the cloud app",
            SmsPart.Optional(3, "; I keep trying"),
            "."));

    /// <summary><c>home: VM bastion-home runs since 26 h and costs money. It stops when it is not needed; to stop it now: internalhost close. #7F3K</c></summary>
    public static Alert LongUptime(OutageFacts outage, VmFacts vm, TimeSpan uptime) => Message(outage, "long-uptime", Severity.Normal, id => SmsText.Fit(
        id,
        $"{outage.SiteText}: VM {vm.Name} runs since {Spell(uptime)} and costs money",
        SmsPart.Optional(1, ". It stops when it is not needed; to stop it now: internalhost close"),
        "."));

    /// <summary>The id comes from site, outage and kind: what is raised again after a crash is the same alert.</summary>
    private static Alert Message(OutageFacts outage, string kind, Severity severity, Func<string, (string Text, string? Plain)> compose)
    {
        var id = AlertId.From($"inside/{outage.Site}/{outage.OutageId}/{kind}");
        var (text, plain) = compose(id);
        return new Alert(id, kind, severity, text, outage.RaisedAt, outage.OutageId, plain);
    }

    private static Alert Message(OutageFacts outage, string kind, Severity severity, Func<string, string> compose) =>
        Message(outage, kind, severity, id => (compose(id), (string?)null));

    /// <summary>
    /// The command whole, or <c>ssh SITE</c>, the entry of the client configuration that we generate. The latter is also what is
    /// said when a carrier filters the former as a link.
    /// </summary>
    private static (string Text, string? Plain) WithCommand(string id, WayIn way, string site, SmsPart[] begin)
    {
        var plain = SmsText.Fit(id, [site, .. begin, $": ssh {site}"]);
        var shortest = string.Concat(begin.Where(p => p.Order == 0).Select(p => p.Text));
        if (!SmsText.Fits(id, site, shortest, ": ", way.Command))
        {
            return (plain, null);
        }

        var other = way.OtherPort is { } port ? $" (blocked? port {port})" : "";
        return (SmsText.Fit(id, [site, .. begin, ": ", way.Command, SmsPart.Optional(1, other)]), plain);
    }

    /// <summary>Between the site's name and the news: why.</summary>
    private static SmsPart[] Cause(OutageFacts outage, string news) => outage.Cause switch
    {
        OpenCause.Operator => [": you asked, ", news],
        OpenCause.Summoned => [": you started the VM, ", news],
        _ => [": primary down", SmsPart.Optional(2, Clock(outage.DownAt)), ", ", news],
    };

    private static string Keys(WayInProblem problem, VmFacts vm) =>
        problem == WayInProblem.WrongHostKey && vm.Keys is { } keys ? $" ({SmsText.Field(keys.Shown, 8)}, not {SmsText.Field(keys.Pinned, 8)})" : "";

    private static string StopReason(CloudFailure failure, VmFacts vm) => failure switch
    {
        CloudFailure.Unknown => $"{vm.Cloud} says yes, it runs on",
        _ => WayInProblems.Reason(WayInProblems.Of(failure), vm),
    };

    private static string Clock(DateTimeOffset? at) => at is { } moment ? moment.ToString(" HH:mm", CultureInfo.InvariantCulture) : "";

    private static string Spell(TimeSpan span) => span switch
    {
        _ when span < TimeSpan.FromSeconds(100) => $"{(int)Math.Round(Math.Max(0, span.TotalSeconds))} s",
        _ when span < TimeSpan.FromMinutes(100) => $"{(int)Math.Round(span.TotalMinutes)} min",
        _ when span < TimeSpan.FromHours(48) => $"{(int)Math.Round(span.TotalHours)} h",
        _ => $"{(int)Math.Round(span.TotalDays)} d",
    };

    private static string Bytes(long bytes) => bytes switch
    {
        < 1_000_000 => $"{Math.Max(0, bytes) / 1e3:0} kB",
        < 1_000_000_000 => $"{bytes / 1e6:0} MB",
        _ => $"{bytes / 1e9:0.0} GB",
    };
}
