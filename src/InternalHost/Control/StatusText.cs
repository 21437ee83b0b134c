using System.Globalization;
using System.Text;
using Common;
using InternalHost.Cloud;
using InternalHost.Configuration;
using InternalHost.Pins;
using InternalHost.Wan.Detection;
using InternalHost.Wan.Probes;

namespace InternalHost.Control;

/// <summary>The status for people: one line that answers "can I get in?", a table, and what to do. Pure.</summary>
[PureCore]
public static class StatusText
{
    private const int LabelWidth = 12;
    private const int StateWidth = 14;

    public static string Render(StatusReport report)
    {
        var text = new StringBuilder();
        text.Append(Headline(report)).Append('\n').Append('\n');
        foreach (var row in Rows(report))
        {
            text.Append(Line(row)).Append('\n');
        }

        var advice = StatusAdvice.For(report);
        if (advice.Length > 0)
        {
            text.Append('\n');
            foreach (var line in advice)
            {
                text.Append(line).Append('\n');
            }
        }

        return text.ToString();
    }

    /// <summary>One line, for a log of changes where there is no screen to redraw. Holds nothing that changes by itself.</summary>
    public static string OneLine(StatusReport report) =>
        string.Join("  ", new[]
        {
            report.Site,
            $"primary {report.Uplinks.Primary.State}",
            $"backup {report.Uplinks.Backup.State}",
            report.Controller.State,
            report.Controller.Hold is { } hold ? $"({hold})" : "",
            $"VM {report.Vm.State}",
            $"tunnel {report.Tunnel.State}",
            $"sessions {Count(report.Sessions.Count)}",
            report.Alerts.Pending > 0 ? $"alerts pending {report.Alerts.Pending}" : "",
            report.Alerts.Dead > 0 ? $"alerts not delivered {report.Alerts.Dead}" : "",
        }.Where(part => part.Length > 0));

    private static string Headline(StatusReport report)
    {
        var outage = report.Controller.Outage is { } number ? $" (outage {number})" : "";
        return $"{report.Site}: {WayIn(report)}{outage}";
    }

    private static string WayIn(StatusReport report) => report switch
    {
        { Controller.State: "Serving", Tunnel.VerifiedAgeS: { } age } => $"the way in is open, proven {Ago(age)}",
        { Controller.State: "Serving" } => "the way in is being restored",
        { Controller.State: "Draining" } => "the way in is open and closes when nobody uses it",
        { Controller.State: "Stopping" } => "the way in is closed, the VM is being stopped",
        { Controller.State: "Starting" } => "the way in is being opened: the VM is starting",
        { Controller.State: "Connecting" } => "the way in is being opened: the tunnel is connecting",
        { Controller.Outage: not null, Controller.WaitingFor: { } what } => $"the way in is not open: waiting for {what}",
        { Controller.Hold: "closed" } => "closed by order",
        { Controller.Hold: "paused" } => "paused: no outage is acted on",
        { Uplinks.Primary.Reason: Reasons.NotWatched } => "the way in opens by order only",
        { Uplinks.Primary.Usable: Usable.Yes } => "all is well, the way in is not needed",
        { Uplinks.Primary.Usable: Usable.No } => "the primary is down, the way in is not open",
        _ => "the primary is not known yet",
    };

    private static IEnumerable<Row> Rows(StatusReport report)
    {
        if (report.Uplinks.Wiring is { } wiring)
        {
            yield return new("wiring", wiring.ToString(), Words(wiring));
        }

        yield return Uplink("primary", report.Uplinks.Primary);
        yield return Uplink("backup", report.Uplinks.Backup);
        yield return new("controller", report.Controller.State, Join(For(report.Controller.SinceS), Cause(report.Controller.Cause), Waiting(report)));
        foreach (var order in Orders(report.Controller.Orders))
        {
            yield return order;
        }

        yield return new("VM", Vm(report.Vm.State), Join(report.Vm.Address, Seen(report.Vm.AgeS), report.Vm.Problem));
        yield return new("tunnel", report.Tunnel.State, Join(Proven(report.Tunnel.VerifiedAgeS), report.Tunnel.Address, report.Tunnel.Egress is { } egress ? $"leaves as {egress}" : "", Reason(report.Tunnel)));
        foreach (var forward in report.Tunnel.Forwards)
        {
            yield return new($"  {forward.Name}", forward.State.Replace('_', ' '), Join($"{forward.Port} -> {forward.Target}", forward.Reason));
        }

        if (report.Name is { } name)
        {
            yield return new("name", name.State == "wanted" ? "NOT SET" : name.State, Join(name.Name, name.Problem));
        }

        foreach (var pin in report.Pins ?? [])
        {
            yield return new("host key", pin.Next ? "next" : "pinned", $"{pin.Fingerprint}, {PinText.Say(pin.Source, pin.By, pin.At)}");
        }

        if (report.People is { } people)
        {
            yield return new("people there", people.Refusal is not null ? "NOT CURRENT" : people.Bundle is null ? "not pushed" : "current", People(people));
        }

        yield return new("sessions", Count(report.Sessions.Count), Seen(report.Sessions.AgeS));
        yield return new("alerts", Alerts(report.Alerts), report.Alerts.Problem ?? "");
        if (report.Logins is { Problem: { } blind } logins)
        {
            yield return new("logins", "UNSEEN", $"{logins.Log}: {blind}");
        }

        yield return new("journal", report.Journal.Ok ? "ok" : "FAILING", report.Journal.Problem ?? "");
        if (report.Recording is { Ok: false } recording)
        {
            yield return new("recording", "FAILING", recording.Problem ?? "");
        }

        yield return new("clock", Clock(report.Clock.Synchronised), $"by {report.Clock.Source}");
        if (report.Bytes is { Sent: { } sent, Received: { } received })
        {
            yield return new("over backup", Bytes(sent + received), $"{Bytes(sent)} sent, {Bytes(received)} received");
        }
    }

    private static Row Uplink(string label, UplinkStatus uplink) =>
        new(label, uplink.State.ToString(), Join(For(uplink.SinceS), uplink.Reason?.Replace('_', ' '), From(uplink)));

    private static string From(UplinkStatus uplink) => uplink.PublicAddress is { } address
        ? $"leaves as {address}{(uplink.PublicAddressAgeS is { } age ? $" ({Ago(age)})" : "")}" : "";

    private static string Words(Wiring wiring) => wiring switch
    {
        Wiring.A => "an interface each",
        Wiring.B => "one wire, two addresses",
        Wiring.C => "by the backup only; others watch the primary",
        Wiring.D => "by the backup only; nothing watches the primary",
        _ => "",
    };

    private static IEnumerable<Row> Orders(OrdersStatus orders)
    {
        if (orders.OpenLeftS is { } open)
        {
            yield return new("order", "open", $"for another {Span(open)}");
        }

        if (orders.PausedLeftS is { } paused)
        {
            yield return new("order", "paused", Join($"for another {Span(paused)}", orders.PausedWhy));
        }

        if (orders.ClosedLeftS is { } closed)
        {
            yield return new("order", "closed", Join($"for another {Span(closed)}", orders.ClosedBy == "owner" ? "the VM was stopped in the provider's app" : ""));
        }
    }

    private static string Line(Row row) =>
        $" {row.Label.PadRight(LabelWidth)} {row.State.PadRight(StateWidth)} {row.Detail}".TrimEnd();

    private static string Cause(string? cause) => cause switch
    {
        null => "",
        "PrimaryDown" => "because the primary is down",
        "Operator" => "because it was ordered",
        "Summoned" => "because the VM was started in the provider's app",
        "Drill" => "because of a drill",
        _ => cause,
    };

    private static string Waiting(StatusReport report) => report.Controller.WaitingFor is { } what ? $"waiting for {what}" : "";

    private static string Vm(InstanceState state) => state == InstanceState.Absent ? "none" : state.ToString().ToLowerInvariant();

    private static string Reason(TunnelStatus tunnel) =>
        tunnel.Reason is { } reason && tunnel.State is not ("verified" or "busy") ? $"{StatusAdvice.Words(reason)}{(tunnel.Detail is { } d ? $": {d}" : "")}" : "";

    private static string Alerts(AlertsStatus alerts) => (alerts.Pending, alerts.Dead) switch
    {
        (0, 0) => "none",
        (_, 0) => $"{alerts.Pending} pending",
        (0, _) => $"{alerts.Dead} LOST",
        _ => $"{alerts.Pending} pending, {alerts.Dead} LOST",
    };

    private static string People(PeopleStatus people) => Join(
        people.Refusal is null ? "" : $"{people.Problem} ({Ago(people.RefusalAgeS ?? 0)})",
        people.NextTryInS is { } next ? $"next try in {Span(next)}" : "",
        people.Bundle is { } number ? $"bundle {number}, pushed {Ago(people.AgeS ?? 0)}" : "");

    private static string Clock(bool? synchronised) => synchronised switch
    {
        true => "in step",
        false => "not in step",
        null => "unknown",
    };

    private static string Count(int? count) => count?.ToString(CultureInfo.InvariantCulture) ?? "unknown";

    private static string For(double? seconds) => seconds is { } known ? $"for {Span(known)}" : "";

    private static string Seen(double? seconds) => seconds is { } known ? $"seen {Ago(known)}" : "never seen";

    private static string Proven(double? seconds) => seconds is { } known ? $"proven {Ago(known)}" : "";

    private static string Ago(double seconds) => seconds < 1 ? "just now" : $"{Span(seconds)} ago";

    private static string Span(double seconds) => seconds switch
    {
        < 60 => $"{Math.Floor(seconds):0} s",
        < 3600 => $"{Math.Floor(seconds / 60):0} min",
        < 172_800 => $"{Math.Floor(seconds / 3600):0} h {Math.Floor(seconds % 3600 / 60):0} min",
        _ => $"{Math.Floor(seconds / 86_400):0} d",
    };

    private static string Bytes(long bytes) => bytes switch
    {
        < 10_000 => $"{bytes} B",
        < 10_000_000 => $"{bytes / 1000} kB",
        _ => string.Create(CultureInfo.InvariantCulture, $"{bytes / 1e6:0.#} MB"),
    };

    private static string Join(params ReadOnlySpan<string?> parts)
    {
        var text = new StringBuilder();
        foreach (var part in parts)
        {
            text.Append(string.IsNullOrEmpty(part) ? "" : text.Length == 0 ? part : $", {part}");
        }

        return text.ToString();
    }

    private sealed record Row(string Label, string State, string Detail);
}
