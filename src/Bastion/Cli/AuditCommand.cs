using System.CommandLine;
using System.Text.Json;
using Bastion.Audit;
using Bastion.Host;
using Common.Configuration;
using Common.Hosting;
using Common.Kernel;
using Common.Processes;
using Common.Text;

namespace Bastion.Cli;

/// <summary><c>bastion audit</c>: is this host as it should be, by what is in force and not by what files say?</summary>
internal static class AuditCommand
{
    public static Command Create()
    {
        var json = new Option<bool>("--json") { Description = "One JSON object a line; the last is the summary." };
        var config = new Option<FileInfo?>("--config") { Description = $"What the host is to be; {HostPlan.Settings} where it is left out.", HelpName = "FILE" };
        var command = new Command("audit", "Checks this host: sshd for every account, PAM, firewall, logs, clock, updates, secrets.") { json, config };
        TeachingHelp.AddTo(
            command,
            """
            Each check: pass, FAIL, warn (a low one that fails), n/a, unknown, or known (excepted in the
            settings with a reason and a last day). What a check supports in CIS, PCI DSS, HIPAA, SOC 2
            and CISA CPG is in --json; it certifies nothing.
            Exit codes: 0 nothing failed, 1 a check failed, 2 bad usage or settings, 77 cannot run (root is needed).
            """);
        command.SetAction((result, ct) => RunAsync(result.GetValue(config)?.FullName, result.GetValue(json), result.InvocationConfiguration, ct));
        return command;
    }

    private static async Task<int> RunAsync(string? config, bool json, InvocationConfiguration console, CancellationToken ct)
    {
        if (OwnUser.Uid != 0)
        {
            console.Error.WriteLine("sshd, PAM and the firewall can be read by root only: run it as root (sudo)");
            return ExitCode.CannotRun;
        }

        try
        {
            var settings = HostSettingsFile.Load(config ?? HostPlan.Settings, mustExist: config is not null);
            var facts = await new AuditFactsReader(new Shell(new SystemProcessLauncher(TimeProvider.System)), TimeProvider.System).ReadAsync(settings, ct);
            var findings = AuditRun.Evaluate(facts, AuditData.Mapping);
            foreach (var finding in findings)
            {
                console.Output.WriteLine(json ? JsonSerializer.Serialize(Line(finding), HostJson.Default.FindingLine) : Text(finding));
            }

            console.Output.WriteLine(Summary([.. findings], json));
            return AuditRun.Fails(findings) ? ExitCode.Failed : ExitCode.Good;
        }
        catch (ConfigurationException e)
        {
            foreach (var mistake in e.Errors)
            {
                console.Error.WriteLine(mistake.ToLine());
            }

            return ExitCode.BadInput;
        }
        catch (Exception e) when (e is HostException or IOException or UnauthorizedAccessException)
        {
            console.Error.WriteLine(e.Message);
            return ExitCode.CannotRun;
        }
    }

    private static string Word(Finding finding) => finding.Verdict.Outcome switch
    {
        Outcome.Pass => "pass",
        Outcome.Fail => finding.Check.Severity == CheckSeverity.Low ? "warn" : "fail",
        Outcome.NotApplicable => "not_applicable",
        Outcome.Excepted => "excepted",
        _ => "cannot_evaluate",
    };

    private static FindingLine Line(Finding finding) => new(
        finding.Check.Id, finding.Check.Severity.ToString().ToLowerInvariant(), Word(finding), finding.Check.Title, SafeText.Clean(finding.Verdict.Evidence),
        finding.Verdict.Outcome == Outcome.Fail ? finding.Check.Fix : null, finding.Supports);

    private static string Text(Finding finding)
    {
        var word = Word(finding) switch { "fail" => "FAIL", "not_applicable" => "n/a", "cannot_evaluate" => "unknown", "excepted" => "known", var w => w };
        var text = $"{word,-8} {finding.Check.Id,-8} {finding.Check.Title}: {SafeText.Clean(finding.Verdict.Evidence)}";
        return finding.Verdict.Outcome == Outcome.Fail ? $"{text}\n{"",17} {finding.Check.Fix}" : text;
    }

    private static string Summary(IReadOnlyList<Finding> findings, bool json)
    {
        int Count(string word) => findings.Count(f => Word(f) == word);
        var summary = new AuditSummary(
            !AuditRun.Fails(findings), Count("pass"), Count("fail"), Count("warn"), Count("excepted"), Count("not_applicable"), Count("cannot_evaluate"), AuditData.Version);
        return json
            ? JsonSerializer.Serialize(summary, HostJson.Default.AuditSummary)
            : $"{summary.Passed} passed, {summary.Failed} failed, {summary.Warnings} warnings, {summary.Excepted} known, {summary.NotApplicable} not applicable, {summary.CannotEvaluate} unknown";
    }
}
