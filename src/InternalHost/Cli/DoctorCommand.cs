using System.CommandLine;
using System.Net.Sockets;
using System.Text.Json;
using Common.Hosting;
using Common.Processes;
using InternalHost.Configuration;
using InternalHost.Doctor;
using InternalHost.Wan;
using InternalHost.Wan.Clock;
using InternalHost.Wan.Detection;
using InternalHost.Wan.Http;
using InternalHost.Wan.Links;
using InternalHost.Wan.Observing;
using InternalHost.Wan.Probes;
using Microsoft.Extensions.Logging.Abstractions;

namespace InternalHost.Cli;

/// <summary><c>internalhost doctor [--json]</c>: is this machine ready? One line a check, each with the next step.</summary>
internal static class DoctorCommand
{
    private const int VerdictWidth = 12;
    private const int CheckWidth = 18;

    /// <summary>Below the limit of a check.</summary>
    private static readonly TimeSpan AddressLimit = TimeSpan.FromSeconds(10);

    public static Command Build()
    {
        var config = CommandTree.ConfigOption();
        var json = CommandTree.JsonOption("One JSON object a line");
        var command = new Command("doctor", """
            Is this machine ready for an outage? Looks at programs, interfaces, routes, keys, secrets, the clock and
            the bastion; changes nothing. Exit 1 if anything failed.
            Examples: internalhost doctor
                      sudo -u internalhost internalhost doctor --json
            """) { json, config };
        command.SetAction((parsed, ct) => RunAsync(parsed.GetValue(config)!, parsed.GetValue(json), parsed.InvocationConfiguration.Output, parsed.InvocationConfiguration.Error, ct));
        return command;
    }

    private static async Task<int> RunAsync(string file, bool json, TextWriter output, TextWriter errors, CancellationToken ct)
    {
        var reading = SiteConfiguration.Load(file);
        var failed = 0;
        foreach (var finding in Configuration(file, reading))
        {
            failed += finding.Verdict == Health.Fail ? 1 : 0;
            await output.WriteLineAsync(json ? Json(finding) : Text(finding));
        }

        await foreach (var finding in new DoctorRunner(Checks(reading.Options), TimeProvider.System, name => errors.WriteLine($"... {name}")).RunAsync(ct))
        {
            failed += finding.Verdict == Health.Fail ? 1 : 0;
            await output.WriteLineAsync(json ? Json(finding) : Text(finding));
        }

        return failed == 0 ? ExitCode.Good : ExitCode.Failed;
    }

    private static IEnumerable<Finding> Configuration(string file, SiteReading reading) => reading.Options is not null
        ? [Finding.Ok("configuration", $"{file} is right")]
        : reading.Errors.Select(e => Finding.Fail("configuration", $"{e.Key}: {e.Reason}{(e.Line > 0 ? $" (line {e.Line})" : "")}", $"internalhost check-config {file}"));

    /// <summary>Without a good configuration, what concerns any machine.</summary>
    private static IDoctorCheck[] Checks(SiteOptions? site)
    {
        var launcher = new SystemProcessLauncher(TimeProvider.System);
        IDoctorCheck[] machine = [new SshClientCheck(launcher), new PartsCheck(OnPath), new ClockCheck(new KernelClock()), new LoginHookCheck()];
        return site is null ? machine :
        [
            .. machine,
            new InterfaceCheck(site),
            new WiringCheck(site, WiringCheck.OfThisMachine),
            new RouteCheck(site, new PathLookup()),
            .. Proofs(site, launcher),
            new TunnelKeyCheck(site, launcher),
            new PinCheck(site),
            new SecretCheck(site),
            new StateDirectoryCheck(site),
            new ServiceCheck(site, TimeProvider.System),
            new BastionCheck(site, TimeProvider.System),
            new DaemonCheck(site, TimeProvider.System),
        ];
    }

    private static IEnumerable<IDoctorCheck> Proofs(SiteOptions site, SystemProcessLauncher launcher)
    {
        var (time, meter) = (TimeProvider.System, new UplinkMeter());
        if (site.Primary.Observe is { } observe)
        {
            var trusted = new TrustedTime(new KernelClock(), time, null, TrustedTime.BuildDate);
            yield return new ObserverCheck(observe, Observers.Of(site, observe, trusted, launcher, time, NullLogger<RouterObserver>.Instance));
        }

        var families = new UplinkFamilies(time);
        var nat64 = new Nat64([.. site.Witnesses.IspDns, .. site.Witnesses.Resolvers], families, meter, time);
        var resolver = new UplinkResolver(site.Witnesses.Resolvers, lastGood: null, meter, time, nat64);
        var client = new PublicAddressClient(site.Witnesses, new NamedServers(resolver, time), meter, time);
        yield return new EgressCheck(site, (uplink, ct) => client.FindAsync(uplink, families.Of(uplink) is [var first, ..] ? first : AddressFamily.InterNetwork, AddressLimit, ct));
    }

    private static bool OnPath(string program) => (Environment.GetEnvironmentVariable("PATH") + ":/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin")
        .Split(':', StringSplitOptions.RemoveEmptyEntries).Any(folder => File.Exists(Path.Combine(folder, program)));

    private static string Text(Finding finding)
    {
        var word = finding.Verdict switch
        {
            Health.Ok => "ok",
            Health.Warn => "WARN",
            Health.Fail => "FAIL",
            _ => "cannot tell",
        };
        var margin = new string(' ', VerdictWidth + CheckWidth + 2);
        var next = finding.Next is null ? "" : $"\n{margin}-> {finding.Next.Replace("\n", $"\n{margin}   ", StringComparison.Ordinal)}";
        return $"{word.PadRight(VerdictWidth)} {finding.Check.PadRight(CheckWidth)} {finding.Detail}{next}";
    }

    private static string Json(Finding finding) => JsonSerializer.Serialize(finding, DoctorJson.Default.Finding);
}
