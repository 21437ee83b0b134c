using System.Collections.Immutable;
using System.CommandLine;
using System.Text.Json;
using Bastion.Host;
using Common.Configuration;
using Common.Hosting;
using Common.Kernel;
using Common.Processes;

namespace Bastion.Cli;

/// <summary><c>bastion install</c> and <c>bastion uninstall</c>.</summary>
internal static class InstallCommand
{
    private static readonly Option<bool> DryRun = new("--dry-run") { Description = "Shows every change and makes none." };
    private static readonly Option<bool> Json = new("--json") { Description = "One JSON object a line." };
    private static readonly Option<string> Root = new("--root") { Description = "Into a folder that will become a host; nothing that runs is touched.", DefaultValueFactory = _ => "", HelpName = "DIR" };
    private static readonly Option<string> RollbackAfter = new("--rollback-after")
    {
        Description = "What is not proven by then is taken back, whatever becomes of this program.",
        DefaultValueFactory = _ => Quantities.Say(Installer.DefaultRollbackAfter),
        HelpName = "SPAN",
    };

    private static readonly Option<string?> Leaving = new("--leaving") { Description = "The account you are logged in as, which is shut out from now on.", HelpName = "ACCOUNT" };

    public static Command CreateInstall()
    {
        var config = new Option<FileInfo?>("--config") { Description = $"What the host is to be; {HostPlan.Settings} where it is left out.", HelpName = "FILE" };
        var ports = new Option<string?>("--ports") { Description = "sshd's ports: 49022,443", HelpName = "LIST" };
        var site = new Option<string[]>("--site") { Description = $"A site and the first of its {SiteAccess.BlockSize} loopback ports: home:22001. Repeatable.", HelpName = "LABEL:PORT", DefaultValueFactory = _ => [] };
        var siteKey = new Option<string[]>("--site-key") { Description = "A site and its public key, a .pub file: its tunnel comes by it, and signs by it who its people are. Repeatable.", HelpName = "LABEL=FILE", DefaultValueFactory = _ => [] };
        var key = new Option<FileInfo?>("--maintenance-key") { Description = "Public keys of the maintenance account, a .pub file.", HelpName = "FILE" };
        var command = new Command("install", "Hardens this host: accounts, sshd, PAM, firewall, updates, journal.") { DryRun, Json, Root, RollbackAfter, config, ports, site, siteKey, key, Leaving };
        TeachingHelp.AddTo(
            command,
            """
            First look, then do:
              bastion install --maintenance-key me.pub --site home:22001 --site-key home=site.pub --dry-run
              sudo bastion install --maintenance-key me.pub --site home:22001 --site-key home=site.pub

            It cannot lock you out: before the first change the way back is on disk and armed. sshd must
            take its configuration, do for every account what was meant, and let a second login in on
            every port; else, or if this program is killed, everything is taken back. A second run
            changes nothing. Exit codes: 0 in force, 1 refused or taken back, 2 bad usage, 77 cannot run.
            """);
        command.SetAction((result, ct) => GuardAsync(result, async console =>
        {
            var root = result.GetValue(Root)!.TrimEnd('/');
            var file = result.GetValue(config)?.FullName;
            var settings = HostSettingsFile.Load(file ?? root + HostPlan.Settings, mustExist: file is not null);
            settings = Overlay(settings, result.GetValue(ports), result.GetValue(site)!);
            var keys = result.GetValue(key) is { } pub ? Text(await File.ReadAllTextAsync(pub.FullName, ct)) : null;
            var request = new InstallRequest(settings, new NewKeys(keys, await SiteKeysAsync(result.GetValue(siteKey)!, ct)), result.GetValue(Leaving), Span(result.GetValue(RollbackAfter)!));
            var installer = New(root, console);
            return result.GetValue(DryRun)
                ? Show(await installer.PlanInstallAsync(request, ct), result.GetValue(Json), console)
                : await DoAsync(() => installer.InstallAsync(request, ct));
        }));
        return command;
    }

    public static Command CreateUninstall()
    {
        var command = new Command("uninstall", "Takes out what install put in; sshd is as the distribution made it.") { DryRun, Json, Root, RollbackAfter, Leaving };
        command.SetAction((result, ct) => GuardAsync(result, async console =>
        {
            var installer = New(result.GetValue(Root)!.TrimEnd('/'), console);
            return result.GetValue(DryRun)
                ? Show(await installer.PlanUninstallAsync(ct), result.GetValue(Json), console)
                : await DoAsync(() => installer.UninstallAsync(result.GetValue(Leaving), Span(result.GetValue(RollbackAfter)!), ct));
        }));
        return command;
    }

    private static Installer New(string root, TextWriter console) =>
        new(new Shell(new SystemProcessLauncher(TimeProvider.System)), root, TimeProvider.System, console.WriteLine);

    private static async Task<int> DoAsync(Func<Task> work)
    {
        await work();
        return ExitCode.Good;
    }

    private static async Task<int> GuardAsync(ParseResult result, Func<TextWriter, Task<int>> work)
    {
        var (output, error) = (result.InvocationConfiguration.Output, result.InvocationConfiguration.Error);
        if (!result.GetValue(DryRun) && OwnUser.Uid != 0)
        {
            error.WriteLine("this changes the system: run it as root (sudo)");
            return ExitCode.CannotRun;
        }

        try
        {
            return await work(output);
        }
        catch (ConfigurationException e)
        {
            foreach (var mistake in e.Errors)
            {
                error.WriteLine(mistake.ToLine());
            }

            return ExitCode.BadInput;
        }
        catch (HostException e)
        {
            error.WriteLine(e.Message);
            return e.ExitCode;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            error.WriteLine($"{e.Message} Next step: run it as root, on a disk that can be written.");
            return ExitCode.CannotRun;
        }
    }

    private static int Show(ImmutableArray<Change> plan, bool json, TextWriter output)
    {
        foreach (var change in plan)
        {
            var diff = change is Change.PutFile file ? TextDiff.Lines(file.Before, file.After) : [];
            if (json)
            {
                output.WriteLine(JsonSerializer.Serialize(new ChangeLine(change.Title, diff.IsEmpty ? null : diff), HostJson.Default.ChangeLine));
                continue;
            }

            output.WriteLine(change.Title);
            foreach (var line in diff)
            {
                output.WriteLine($"    {line}");
            }
        }

        output.WriteLine(json
            ? JsonSerializer.Serialize(new InstallSummary(true, plan.Length, null), HostJson.Default.InstallSummary)
            : plan.IsEmpty ? "nothing to change" : $"{plan.Length} changes, none made");
        return ExitCode.Good;
    }

    /// <summary>By label. Several of one site are all its keys: a pair of hosts.</summary>
    private static async Task<ImmutableDictionary<string, string>> SiteKeysAsync(string[] given, CancellationToken ct)
    {
        var texts = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var words in given.Select(g => g.Split('=', 2)))
        {
            if (words is not [{ Length: > 0 } label, { Length: > 0 } file])
            {
                var errors = new ConfigurationErrors();
                errors.Add("--site-key", words[0], "must be LABEL=FILE, such as home=/root/site.pub", 0);
                throw new ConfigurationException(errors.All);
            }

            texts[label] = texts.GetValueOrDefault(label, "") + Text(await File.ReadAllTextAsync(file, ct));
        }

        return texts.ToImmutableDictionary(StringComparer.Ordinal);
    }

    private static HostSettings Overlay(HostSettings settings, string? ports, string[] sites)
    {
        var errors = new ConfigurationErrors();
        T Read<T>(string key, string text, Func<string, Reading<T>> read, T fallback)
        {
            var reading = read(text);
            if (reading.Problem is { } problem)
            {
                errors.Add(key, text, problem, 0);
            }

            return reading.Problem is null ? reading.Value! : fallback;
        }

        if (ports is not null)
        {
            settings = settings with { Ports = [.. ports.Split(',').Select(p => Read("--ports", p, NetworkValues.Port, 0))] };
        }

        foreach (var text in sites)
        {
            var site = Read("--site", text, HostSettingsReader.Site, new SiteAccess("", 0));
            settings = settings with { Sites = [.. settings.Sites.Where(s => s.Label != site.Label), site] };
        }

        foreach (var problem in HostSettingsReader.Problems(settings))
        {
            errors.Add(problem.Key, problem.Value, problem.Reason, 0);
        }

        return errors.Any ? throw new ConfigurationException(errors.All) : settings;
    }

    private static TimeSpan Span(string text)
    {
        var reading = Quantities.DurationBetween(TimeSpan.FromSeconds(5), TimeSpan.FromHours(1))(text);
        if (reading.Problem is not { } problem)
        {
            return reading.Value;
        }

        var errors = new ConfigurationErrors();
        errors.Add("--rollback-after", text, problem, 0);
        throw new ConfigurationException(errors.All);
    }

    private static string Text(string keys) => keys.EndsWith('\n') ? keys : keys + "\n";
}
