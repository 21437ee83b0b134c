using Common.Agent;
using InternalHost.Logins;

namespace InternalHost.Tests.Logins;

public sealed class BastionLoginsTests
{
    private AgentReply? _sessions = new(true, Sessions: 1, Who: [new AgentSession("alice", "phone", "198.51.100.7:40000", 12) { Event = 3, Alert = "7F3K", Told = "confirmed" }]);
    private AgentReply? _events = new(true) { Events = [] };

    [Fact]
    public async Task Who_is_there_and_who_has_just_left_once_each_and_no_tunnel()
    {
        AgentEvent gone = new(4, "ssh", "person", "bob", "bob", null, "203.0.113.9", 5, Open: false) { EndedSeconds = 2, Alert = "ABCD", Told = "pending" };
        _events = _events! with
        {
            Events =
            [
                gone, new(1, "ssh", "site", "site-home", "home", null, "203.0.113.9", 50, Open: false), new(3, "ssh", "person", "alice", "alice", "phone", "198.51.100.7", 12, Open: true),
                new(2, "su", "unknown", "root", "root", null, null, 5, Open: false), new(5, "ssh", "person", "carol", "carol", null, "203.0.113.9", null, Open: false),
            ],
        };

        var heard = await Logins().NowAsync(default);

        Assert.Equal(("alice", "198.51.100.7", "confirmed", "7F3K", 12), (heard!.Value[0].Name, heard.Value[0].From, heard.Value[0].Told, heard.Value[0].Alert, heard.Value[0].AgeSeconds));
        Assert.Equal(gone, Assert.Single(heard.Value.Skip(1)));
    }

    [Fact]
    public async Task Older_agent_says_who_is_there_and_not_that_it_was_told()
    {
        (_sessions, _events) = (
            new AgentReply(true, Sessions: 1, Who: [new AgentSession("alice", "phone", "[2001:db8::7]:40000", 12)]),
            new AgentReply(false, "unknown op; known: sessions, drain, undrain, hold, health"));

        var alice = Assert.Single((await Logins().NowAsync(default))!.Value);

        Assert.Equal(("alice", "2001:db8::7", null, true), (alice.Name, alice.From, alice.Told, alice.Open));
    }

    [Fact]
    public async Task Not_known_is_not_nobody()
    {
        _sessions = null;
        Assert.Null(await Logins().NowAsync(default));
        _sessions = new AgentReply(true, "logins cannot be seen: the log cannot be read");
        Assert.Null(await Logins().NowAsync(default));
    }

    private BastionLogins Logins() => new((op, _) => Task.FromResult(op == "sessions" ? _sessions : _events));
}
