using System.CommandLine;
using System.Text.Json;
using Bastion.Cli;
using Bastion.Tests.Logins.Policy;
using Common.Alerts;

namespace Bastion.Tests.Cli;

public sealed class AlertsCommandTests : IDisposable
{
    private readonly PolicyRig _rig = new();

    public void Dispose() => _rig.Dispose();

    [Fact]
    public void Login_that_was_told_is_explained_with_its_rule_and_its_messages()
    {
        _rig.Login(PolicyRig.AliceKey, "alice");
        var id = Id("SELECT alert_id FROM logins");

        var (code, text, _) = Run("explain", $"#{id.ToLowerInvariant()}");

        Assert.Equal(0, code);
        Assert.Contains("high: known person, first login with this key", text, StringComparison.Ordinal);
        Assert.Contains(PolicyRig.AliceKey, text, StringComparison.Ordinal);
        Assert.Contains("by sms", text, StringComparison.Ordinal);
        Assert.Contains("...0001: to be sent", text, StringComparison.Ordinal);
        Assert.DoesNotContain("15551230001", text, StringComparison.Ordinal);
    }

    [Fact]
    public void Login_that_was_not_pushed_says_why()
    {
        _rig.Login(PolicyRig.AliceKey, "alice");
        _rig.Login(PolicyRig.AliceKey, "alice");
        var first = Id("SELECT alert_id FROM logins ORDER BY seq LIMIT 1");
        var second = Id("SELECT alert_id FROM logins ORDER BY seq DESC LIMIT 1");

        var (code, json, _) = Run("explain", second, "--json");

        var alert = JsonSerializer.Deserialize(json, AlertViewJson.Default.AlertView)!;
        Assert.Equal((0, false, "normal"), (code, alert.Told, alert.Severity));
        Assert.Equal($"a repeat of #{first}: counted in its digest", alert.Silence);
    }

    [Fact]
    public void List_holds_what_was_told_what_was_not_and_the_failures()
    {
        _rig.Login(PolicyRig.AliceKey, "alice");
        _rig.Login(PolicyRig.SiteKey, "site-home");
        _rig.Fail("ro\u001b[2Jot", "203.0.113.9", 1);

        var (code, text, _) = Run("list");

        var lines = text.TrimEnd('\n').Split('\n');
        Assert.Equal((0, 3), (code, lines.Length));
        Assert.Contains(lines, l => l.Contains("on its way", StringComparison.Ordinal) && l.Contains("home LOGIN", StringComparison.Ordinal));
        Assert.Contains(lines, l => l.Contains("not pushed", StringComparison.Ordinal) && l.EndsWith(": tunnel of site home", StringComparison.Ordinal));
        Assert.Contains("failed attempts since", lines[^1], StringComparison.Ordinal);
        Assert.DoesNotContain('\u001b', text);
        Assert.Equal(2, Run("list", "--json").Output.TrimEnd('\n').Split('\n').Length);
    }

    [Theory]
    [InlineData("ZZZZ", 1)]
    [InlineData("'; drop table", 2)]
    [InlineData("1", 2)]
    public void Unknown_id_and_what_is_no_id_are_told_apart(string id, int code) => Assert.Equal(code, Run("explain", id).Code);

    [Fact]
    public void State_that_is_not_there_is_bad_input_with_what_to_do()
    {
        var (code, _, errors) = Invoke("alerts", "list", "--state", "/nowhere");

        Assert.Equal(2, code);
        Assert.Contains("--state DIR", errors, StringComparison.Ordinal);
    }

    private string Id(string sql) => _rig.Database.Read(c => Common.Journal.SqlExtensions.List(Common.Journal.SqlExtensions.Sql(c, sql), r => r.GetString(0)))[0];

    private (int Code, string Output, string Errors) Run(params string[] args) => Invoke(["alerts", .. args, "--state", Path.GetDirectoryName(_rig.File)!]);

    private static (int Code, string Output, string Errors) Invoke(params string[] args)
    {
        var (output, errors) = (new StringWriter(), new StringWriter());
        var code = BastionCommand.Create().Parse(args).Invoke(new InvocationConfiguration { Output = output, Error = errors });
        return (code, output.ToString(), errors.ToString());
    }
}
