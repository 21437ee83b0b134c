using System.Collections.Immutable;
using Bastion.Cli;
using Bastion.Host;
using Common.Agent;
using Common.Configuration;

namespace Bastion.Tests.Host;

public sealed class HostTextTests
{
    private const string StockSshd =
        "# PAM configuration for the Secure Shell service\n@include common-auth\naccount    required     pam_nologin.so\n@include common-account\nsession    required     pam_env.so user_readenv=1\n";

    [Fact]
    public void Hook_comes_before_everything_and_taking_it_out_gives_back_the_file()
    {
        var installed = PamLines.Install(StockSshd, "sshd");

        Assert.StartsWith("# PAM configuration for the Secure Shell service\nsession optional pam_exec.so quiet type=open_session /usr/lib/bastion/hook # bastion\n", installed);
        Assert.Contains("pam_succeed_if.so quiet user ingroup bastion-site # bastion\naccount required pam_nologin.so file=/run/bastion/nologin # bastion\n", installed);
        Assert.Equal(StockSshd, PamLines.Remove(installed));
        Assert.Equal(installed, PamLines.Install(installed, "sshd"));
    }

    [Fact]
    public void Su_runs_the_hook_as_root_and_keeps_its_own_lines()
    {
        const string stock = "auth sufficient pam_rootok.so\nsession required pam_env.so readenv=1\n";

        var installed = PamLines.Install(stock, "su");

        Assert.Equal($"session optional pam_exec.so quiet type=open_session seteuid /usr/lib/bastion/hook # bastion\n{stock}", installed);
        Assert.Equal(stock, PamLines.Remove(installed));
    }

    [Theory]
    [InlineData("#!/usr/sbin/nft -f\nflush ruleset\n")]
    [InlineData("flush ruleset\n\ntable inet filter {\n}\n")]
    public void Rulesets_main_file_loads_ours_and_is_given_back(string main)
    {
        var with = Firewall.WithInclude(main);

        Assert.EndsWith("include \"/etc/bastion/firewall.nft\" # bastion\n", with);
        Assert.Equal(with, Firewall.WithInclude(with));
        Assert.Equal(main, Firewall.WithoutInclude(with));
        Assert.Null(Firewall.WithoutInclude(Firewall.WithInclude(null)));
    }

    [Fact]
    public void Diff_shows_what_goes_and_comes_with_a_little_around_it()
    {
        var lines = TextDiff.Lines("a\nb\nc\nd\ne\nf\n", "a\nb\nc\nD\ne\nf\ng\n");

        Assert.Equal(["  b", "  c", "- d", "+ D", "  e", "  f", "+ g"], lines.ToArray());
        Assert.Equal(["+ x"], TextDiff.Lines(null, "x\n").ToArray());
        Assert.Empty(TextDiff.Lines("x\n", "x\n"));
    }

    [Fact]
    public void Settings_come_back_as_they_were_written()
    {
        var settings = HostSettings.Default with
        {
            Ports = [49022],
            Sites = [new SiteAccess("home", 22001), new SiteAccess("work", 22101)],
            Exempt = [System.Net.IPNetwork.Parse("203.0.113.7/32")],
            Logs = new LogTarget("logs.example", 6514, "peer.example", "/etc/bastion/ca.pem", ["/usr/local/bin/ask", "logs"]),
            Exceptions = [new AuditException("TIM-001", "no network time here", new DateOnly(2027, 3, 31))],
        };

        var back = Read(HostSettingsReader.Write(settings), out var errors);

        Assert.Empty(errors);
        Assert.Equal(HostSettingsReader.Write(settings), HostSettingsReader.Write(back));
        Assert.Equal(settings.Logs.CanaryCommand.ToArray(), back.Logs!.CanaryCommand.ToArray());
    }

    [Theory]
    [InlineData("ports: [49022, 49022]", "twice")]
    [InlineData("sites: {home: 22001, work: 22010}", "overlap")]
    [InlineData("sites: {home: 22001, home-bulk: 22101}", "share the account site-home-bulk")]
    [InlineData("sites: {home: 49010}", "sshd's or the agent's")]
    [InlineData("sites: {home: 80}", "1024")]
    [InlineData("exempt: [100.64.0.1]", "carrier")]
    [InlineData("exempt: [203.0.113.0/24]", "too wide")]
    [InlineData("exempt: [0.0.0.0/0]", "too wide")]
    [InlineData("logs: {to: \"a.example:6514\"}", "is missing")]
    [InlineData("exceptions: {TIM-001: {reason: x, until: soon}}", "must be a day")]
    [InlineData("prots: [22]", "did you mean ports")]
    public void Mistake_is_told_with_its_reason(string yaml, string reason)
    {
        Read(yaml, out var errors);

        Assert.Contains(errors, e => e.Reason.Contains(reason, StringComparison.Ordinal));
    }

    [Fact]
    public void Undo_quotes_what_it_is_given_and_decides_once()
    {
        var script = UndoScript.Write(
            [new Change.PutFile("/etc/it's", "a", "b", 0), new Change.MakeUser("x", "g", "/", "/bin/sh"), new Change.MakeDirectory("/there", 0, "root", "root", Existed: true)],
            "/folder", "", "true");

        Assert.Contains("back 0 '/etc/it'\\''s'", script);
        Assert.Contains("userdel 'x'", script);
        Assert.DoesNotContain("'/there'", script);
        Assert.Contains("(set -C; echo undo > decided) 2>/dev/null || [ \"$(cat decided)\" != commit ] || exit 0", script);
    }

    [Theory]
    [InlineData(5, 0, true, false)]
    [InlineData(15, 0, true, true)]
    [InlineData(15, 1, true, false)]
    [InlineData(15, null, true, false)]
    [InlineData(15, 0, false, false)]
    public void Upgrades_wait_for_the_first_minutes_and_for_people(int minutes, int? sessions, bool answers, bool may) =>
        Assert.Equal(may, UpgradeGateCommand.Decide(TimeSpan.FromMinutes(10), TimeSpan.FromMinutes(minutes), answers ? new AgentReply(true, Sessions: sessions) : null).May);

    private static HostSettings Read(string yaml, out ImmutableArray<ConfigurationError> errors)
    {
        var all = new ConfigurationErrors();
        var settings = HostSettingsReader.Read(YamlTree.Parse(yaml, all)!, all);
        errors = [.. all.All];
        return settings;
    }
}
