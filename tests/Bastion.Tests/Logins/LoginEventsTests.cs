using Bastion.Logins;
using Common.Logins;
using Common.Logins.Recording;
using Bastion.Tests.Logins.Policy;
using Common.Journal;

namespace Bastion.Tests.Logins;

public sealed class LoginEventsTests : IDisposable
{
    private readonly PolicyRig _rig = new();

    public void Dispose() => _rig.Dispose();

    [Fact]
    public void Alert_is_pending_then_confirmed_and_dead_when_no_channel_is_left()
    {
        _rig.Login(PolicyRig.AliceKey, "alice");
        Assert.Equal("pending", Newest().Told);

        Set(phase: 7);
        Assert.Equal("confirmed", Newest().Told);

        Set(phase: 8);
        Assert.Equal("dead", Newest().Told);
    }

    [Fact]
    public void Repeat_names_the_alert_that_counts_it_and_a_tunnel_none()
    {
        _rig.Login(PolicyRig.AliceKey, "alice");
        _rig.Login(PolicyRig.AliceKey, "alice", port: 40001);
        _rig.Login(PolicyRig.SiteKey, "site-home", port: 40002);

        var (page, last) = Events().After(0);

        Assert.Equal(3, last);
        Assert.NotNull(page[0].Alert);
        Assert.Equal((page[0].Alert, "pending"), (page[1].Alert, page[1].Told));
        Assert.Equal((null, null), (page[2].Alert, page[2].Told));
    }

    [Fact]
    public void Page_is_bounded_begins_after_the_number_and_is_the_newest_without_one()
    {
        for (var n = 0; n < LoginEvents.PageLength + 10; n++)
        {
            _rig.Login(PolicyRig.SiteKey, "site-home", port: 40000 + n);
        }

        Assert.Equal((1, LoginEvents.PageLength), (Events().After(0).Page[0].Number, Events().After(0).Page.Count));
        Assert.Equal(10, Events().After(LoginEvents.PageLength).Page.Count);
        Assert.Equal((11, LoginEvents.PageLength + 10), (Events().After(null).Page[0].Number, (int)Events().After(null).Page[^1].Number));
        Assert.Empty(Events().After(long.MaxValue).Page);
    }

    [Fact]
    public void Age_is_not_known_of_a_login_before_the_machine_began_anew()
    {
        _rig.Login(PolicyRig.AliceKey, "alice");
        _rig.Time.Advance(TimeSpan.FromSeconds(7));
        Assert.Equal((7, true), (Newest().AgeSeconds, Newest().Open));

        _rig.Restart("boot-2");

        Assert.Equal((null, false), (new LoginEvents(_rig.Database, "boot-2", _rig.Time).After(0).Page[0].AgeSeconds, new LoginEvents(_rig.Database, "boot-2", _rig.Time).After(0).Page[0].Open));
    }

    private LoginEvents Events() => new(_rig.Database, "boot-1", _rig.Time);

    private Common.Agent.AgentEvent Newest() => Events().After(null).Page[^1];

    private void Set(int phase) => _rig.Database.Read(c => c.Sql("UPDATE deliveries SET phase = $p", ("$p", phase)).Run());
}
