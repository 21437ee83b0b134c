using InternalHost.Simulation;
using InternalHost.Wan.Detection;

namespace InternalHost.Tests.Simulation;

public sealed class StreamsTests
{
    [Fact]
    public void A_draw_here_moves_no_draw_there()
    {
        var (still, busy) = (new Streams(5), new Streams(5));

        Func<Streams, Chance>[] others = [s => s.LineOf(UplinkName.Backup), s => s.Restart, s => s.Provider, s => s.Api, s => s.Tunnel, s => s.Agent, s => s.Gateway, s => s.Inbox, s => s.Outbox, s => s.Redial];
        foreach (var other in others)
        {
            Assert.Equal(other(still).Next(), other(busy).Next());
            other(busy).Next();
        }

        Assert.Equal(still.LineOf(UplinkName.Primary).Next(), busy.LineOf(UplinkName.Primary).Next());
        Assert.Equal(others.Length, others.Select(o => o(still).Next()).Distinct().Count());
    }
}
