using System.Net;
using Common.Agent;
using Common.Time;
using InternalHost.Running;
using InternalHost.Tunnel;
using Testing;

namespace InternalHost.Tests.Running;

public sealed class TunnelEgressTests
{
    private static readonly AgentReply Seen = new(true) { Egress = "198.51.100.7" };
    private readonly List<string> _asked = [];
    private TunnelSnapshot _tunnel = Up(run: 1);
    private AgentReply? _reply = Seen;

    [Fact]
    public async Task Address_is_asked_once_for_each_connection_and_gone_with_it()
    {
        using var egress = Egress();
        await egress.LookAsync(default);
        await egress.LookAsync(default);
        Assert.Equal((IPAddress.Parse("198.51.100.7"), 1), (egress.Address, _asked.Count));

        _tunnel = Up(run: 2);
        Assert.Null(egress.Address);
        await egress.LookAsync(default);
        Assert.Equal((IPAddress.Parse("198.51.100.7"), 2), (egress.Address, _asked.Count));

        _tunnel = _tunnel with { Verified = null };
        Assert.Null(egress.Address);
    }

    [Fact]
    public async Task No_answer_is_asked_for_again_and_an_agent_that_does_not_know_the_question_is_left_alone()
    {
        using var egress = Egress();
        _reply = null;
        await egress.LookAsync(default);
        _reply = new AgentReply(true, "not known from where this site's tunnel comes");
        await egress.LookAsync(default);
        _reply = new AgentReply(false, "unknown op; known: sessions, drain, undrain, hold, health");
        await egress.LookAsync(default);
        await egress.LookAsync(default);

        Assert.Equal((null, 3), (egress.Address, _asked.Count));
    }

    [Fact]
    public async Task Without_a_tunnel_nobody_is_asked()
    {
        using var egress = Egress();
        _tunnel = Up(run: 1) with { Verified = null };
        await egress.LookAsync(default);

        Assert.Empty(_asked);
    }

    private TunnelEgress Egress() => new(() => _tunnel, (op, _) => { _asked.Add(op); return Task.FromResult(_reply); }, new FakeTime());

    private static TunnelSnapshot Up(int run) => new("Up", run, new Instant(1), new Instant(2), null, false, null, null, 0, 0, null, []);
}
