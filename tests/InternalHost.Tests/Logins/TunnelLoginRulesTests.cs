using System.Collections.Immutable;
using System.Net;
using Common.Agent;
using Common.Alerts;
using Common.Logins;
using Common.Logins.Recording;
using Common.Time;
using InternalHost.Logins;

namespace InternalHost.Tests.Logins;

public sealed class TunnelLoginRulesTests
{
    private static readonly AgentEvent Alice = new(7, "ssh", "person", "alice", "alice", "phone", "198.51.100.7", 20, Open: true) { Alert = "7F3K", Told = "confirmed" };

    [Fact]
    public void Session_whose_alert_has_arrived_is_the_text_about_both() => Assert.Equal(new BastionWord.Told(Alice), Decide(1, Alice));

    [Fact]
    public void Pending_is_waited_for_and_then_told_from_here()
    {
        var pending = Alice with { Told = "pending", AgeSeconds = 40 };

        Assert.Null(Decide(29.9, pending));
        Assert.Equal(new BastionWord.Untold(pending), Decide(30, pending));
    }

    [Theory]
    [InlineData("dead")]
    [InlineData("unknown")]
    [InlineData(null)]
    public void What_will_not_be_confirmed_is_told_from_here_at_once(string? told) =>
        Assert.Equal(new BastionWord.Untold(Alice with { Told = told }), Decide(0.5, Alice with { Told = told }));

    [Fact]
    public void Nobody_there_is_said_after_a_slow_bastion_has_had_its_time()
    {
        Assert.Null(Decide(3.9));
        Assert.Equal(new BastionWord.Nobody(), Decide(4));
    }

    [Fact]
    public void No_answer_is_no_accusation()
    {
        Assert.Null(TunnelLoginRules.Decide(Record(), null, TimeSpan.FromSeconds(19.9)));
        Assert.Equal(new BastionWord.Silent(), TunnelLoginRules.Decide(Record(), null, TimeSpan.FromSeconds(20)));
    }

    [Fact]
    public void Who_came_to_the_bastion_later_was_not_there() =>
        Assert.Equal(new BastionWord.Nobody(), Decide(30, Alice with { AgeSeconds = 20 }));

    [Fact]
    public void Who_had_left_before_was_not_there_and_who_left_since_was()
    {
        Assert.Equal(new BastionWord.Nobody(), Decide(5, Alice with { Open = false, EndedSeconds = 9 }));
        Assert.Equal(new BastionWord.Nobody(), Decide(5, Alice with { Open = false, EndedSeconds = null }));
        Assert.IsType<BastionWord.Told>(Decide(5, Alice with { Open = false, EndedSeconds = 4 }));
    }

    [Fact]
    public void Of_two_there_the_key_says_which_and_without_it_both_must_have_been_told()
    {
        var bob = Alice with { Number = 8, Name = "bob", AgeSeconds = 10, Told = "dead" };

        Assert.Equal(new BastionWord.Told(Alice), Decide(1, Alice, bob));
        Assert.Equal(new BastionWord.Untold(bob), TunnelLoginRules.Decide(Record(LoginRole.Unknown), [Alice, bob], TimeSpan.FromSeconds(1)));
        Assert.Equal(new BastionWord.Told(bob with { Told = "confirmed" }), TunnelLoginRules.Decide(Record(LoginRole.Unknown), [Alice, bob with { Told = "confirmed" }], TimeSpan.FromSeconds(1)));
    }

    private static BastionWord? Decide(double age, params ImmutableArray<AgentEvent> heard) => TunnelLoginRules.Decide(Record(), heard, TimeSpan.FromSeconds(age));

    private static LoginRecord Record(LoginRole role = LoginRole.Person) => new(
        "x", "ABCD", new Login(LoginKind.Ssh, "sshd", "pi", IPEndPoint.Parse("127.0.0.1:40000"), []),
        new LoginVerdict(Severity.High, "known person", true, role, role == LoginRole.Person ? "alice" : "pi", "phone", LoginFlags.ByTunnel),
        "s", "127.0.0.0/24", 7, null, DateTimeOffset.UnixEpoch, "boot", new Instant(0));
}
