using System.Collections.Immutable;
using Common.Configuration;
using Common.Kernel;
using Bastion.Audit;
using Bastion.Watch;

namespace Bastion.Host;

/// <param name="Leaving">The account of the session we run in, confirmed by its name to be shut out from now on.</param>
internal sealed record InstallRequest(HostSettings Settings, NewKeys Keys, string? Leaving, TimeSpan RollbackAfter);

/// <summary>Puts a plan in force so that its user cannot be locked out: refusals first, then a transaction, then proof, then commit.</summary>
internal sealed class Installer(Shell shell, string root, TimeProvider time, Action<string> say)
{
    public static readonly TimeSpan DefaultRollbackAfter = TimeSpan.FromSeconds(120);

    private bool Live => root.Length == 0;

    public async Task<ImmutableArray<Change>> PlanInstallAsync(InstallRequest request, CancellationToken ct) =>
        HostPlan.Install(await new HostFactsReader(shell, root).ReadAsync(ct), request.Settings, HostSettingsReader.Write(request.Settings), request.Keys);

    public async Task<ImmutableArray<Change>> PlanUninstallAsync(CancellationToken ct) => HostPlan.Uninstall(await new HostFactsReader(shell, root).ReadAsync(ct));

    /// <exception cref="HostException">Nothing was changed, or it was taken back; the text says why.</exception>
    public async Task InstallAsync(InstallRequest request, CancellationToken ct)
    {
        await RecoverAsync(request.RollbackAfter, ct);
        var facts = await new HostFactsReader(shell, root).ReadAsync(ct);
        Refuse([.. Refusals(facts, request)]);
        var plan = await PlanInstallAsync(request, ct);
        if (plan.IsEmpty)
        {
            say("nothing to change");
            return;
        }

        await CarryOutAsync(plan, request.RollbackAfter, () => ProveAsync(request, ct), ct);
    }

    /// <inheritdoc cref="InstallAsync"/>
    public async Task UninstallAsync(string? leaving, TimeSpan rollbackAfter, CancellationToken ct)
    {
        await RecoverAsync(rollbackAfter, ct);
        var plan = await PlanUninstallAsync(ct);
        if (Live && SessionAccount() is { } account && account != leaving && plan.Contains(new Change.RemoveUser(account)))
        {
            Refuse([$"you are logged in as {account}, which goes: have another account with a key, and say --leaving {account}"]);
        }

        if (plan.IsEmpty)
        {
            say("nothing to take out");
            return;
        }

        await CarryOutAsync(plan, rollbackAfter, () => ReloadAsync(ct), ct);
    }

    private async Task RecoverAsync(TimeSpan rollbackAfter, CancellationToken ct)
    {
        if (await NewApply(rollbackAfter).RecoverAsync(ct))
        {
            say("an earlier installation was killed before it was proven: it was taken back first");
        }
    }

    private async Task CarryOutAsync(ImmutableArray<Change> plan, TimeSpan rollbackAfter, Func<Task> prove, CancellationToken ct)
    {
        var apply = NewApply(rollbackAfter);
        await apply.BeginAsync(plan, ct);
        try
        {
            if (Live)
            {
                await prove();
            }
        }
        catch (Exception e) when (e is HostException or IOException or OperationCanceledException)
        {
            await apply.RollBackAsync(CancellationToken.None);
            throw new HostException($"taken back, the host is as before: {e.Message}");
        }

        if (!apply.Commit())
        {
            throw new HostException($"it took longer than {Quantities.Say(rollbackAfter)} and was taken back by its timer");
        }

        await apply.FinishAsync(plan, ct);
        if (Live && File.Exists(HostPlan.Settings))
        {
            new ConfigurationBaseline().Write();   // what the agent compares with from now on
        }

        say($"{plan.Length} changes are in force");
    }

    /// <summary>sshd has read it, would do for every account what was meant, and lets the maintenance account in on every port.</summary>
    private async Task ProveAsync(InstallRequest request, CancellationToken ct)
    {
        var sshd = new SshdProcess(shell, new KernelConnections(), time);
        await sshd.ReloadAsync(request.Settings.Ports, ct);
        var facts = await new AuditFactsReader(shell, time).ReadAsync(request.Settings with { Logs = null }, ct);
        var wrong = AuditRun.Evaluate(facts, AuditData.Mapping)
            .Where(f => f.Check.Id.StartsWith("SSH-", StringComparison.Ordinal) && f.Check.Severity >= CheckSeverity.Medium)
            .FirstOrDefault(f => f.Verdict.Outcome is Outcome.Fail or Outcome.CannotEvaluate);
        if (wrong is not null)
        {
            throw new HostException($"{wrong.Check.Id} {wrong.Check.Title}: {wrong.Verdict.Evidence} (another line of sshd's configuration stands against ours?)");
        }

        if (await new SecondLogin(shell, time).TryAsync(request.Settings.Ports, ct) is { } reason)
        {
            throw new HostException($"a second login as {Accounts.Maintenance} failed: {reason}");
        }

        say($"a second login as {Accounts.Maintenance} worked on {string.Join(" and ", request.Settings.Ports)}");
    }

    private async Task ReloadAsync(CancellationToken ct) => await shell.DoAsync("sh", ["-c", SshdProcess.Reload], ct);

    private Apply NewApply(TimeSpan rollbackAfter) => new(shell, root, Live ? SshdProcess.Reload : "", rollbackAfter);

    private static void Refuse(ImmutableArray<string> refusals)
    {
        if (!refusals.IsEmpty)
        {
            throw new HostException("refused, nothing was changed:\n" + string.Join('\n', refusals.Select(r => $"  {r}")));
        }
    }

    private IEnumerable<string> Refusals(HostFacts facts, InstallRequest request)
    {
        var keys = (request.Keys.Maintenance ?? facts.Text(HostPlan.MaintenanceKeys) ?? "").Split('\n').Select(l => l.Trim()).Where(l => l.Length > 0 && l[0] != '#').ToList();
        if (keys.Count == 0)
        {
            yield return "nobody could maintain this host: give the maintenance account a key, --maintenance-key FILE (a .pub file)";
        }

        foreach (var problem in keys.Select(k => SshChecks.KeyOf(k) is { } key ? PersonalValues.PublicKey(key).Problem : "is no public key").OfType<string>())
        {
            yield return $"a maintenance key {problem}";
        }

        foreach (var (label, text) in request.Keys.Sites.OrderBy(s => s.Key, StringComparer.Ordinal))
        {
            if (request.Settings.Sites.All(s => s.Label != label))
            {
                yield return $"--site-key {label}: there is no such site here; name its ports too, --site {label}:PORT";
            }

            var lines = text.Split('\n').Select(l => l.Trim()).Where(l => l.Length > 0 && l[0] != '#').ToList();
            foreach (var problem in lines.Select(l => SshChecks.KeyOf(l) is { } key ? PersonalValues.PublicKey(key).Problem : "is no public key").OfType<string>()
                .Concat(lines.Count == 0 ? ["is not there: the file has none"] : []))
            {
                yield return $"a key of site {label} {problem}";
            }
        }

        if (!facts.Files.ContainsKey(PamLines.Hook))
        {
            yield return $"{PamLines.Hook} is not there: install the package, logins would go untold";
        }

        if (!facts.Files.ContainsKey(SshdDropIn.HostKey))
        {
            yield return $"{SshdDropIn.HostKey} is not there: ssh-keygen -A";
        }

        foreach (var user in HostPlan.Users(request.Settings).Where(u => facts.Users.TryGetValue(u.Name, out var group) && group != u.Group))
        {
            yield return $"account {user.Name} is there with group {facts.Users[user.Name]} and is not ours: rename it";
        }

        foreach (var refusal in Live ? LiveRefusals(facts, request) : [])
        {
            yield return refusal;
        }
    }

    private static IEnumerable<string> LiveRefusals(HostFacts facts, InstallRequest request)
    {
        string[] groups = [Accounts.PersonGroup, Accounts.SiteGroup, Accounts.SyncGroup, Accounts.MaintenanceGroup];
        if (SessionAccount() is { } account && account != request.Leaving && !(facts.Users.TryGetValue(account, out var group) && groups.Contains(group)))
        {
            yield return $"you are logged in as {account}, who could not log in again: have the maintenance key at hand, and say --leaving {account}";
        }

        var listening = new ListeningSockets(new KernelConnections()).Read() ?? [];
        foreach (var socket in listening.Where(s => request.Settings.Ports.Contains(s.At.Port) && s.Program is not ("sshd" or "systemd" or null)).DistinctBy(s => s.At.Port))
        {
            yield return $"port {socket.At.Port} is {socket.Program}'s: stop it, or choose other --ports";
        }
    }

    /// <summary>Who came by ssh, however they became root: sudo tells, su and the like keep the login's own name.</summary>
    private static string? SessionAccount() =>
        Environment.GetEnvironmentVariable("SUDO_USER") is { Length: > 0 } sudo ? sudo
        : Environment.GetEnvironmentVariable("SSH_CONNECTION") is { Length: > 0 } ? Environment.GetEnvironmentVariable("LOGNAME") ?? Environment.UserName
        : null;
}
