using Common.Alerts;

namespace Common.Tests.Alerts;

public sealed class AlertDetailTests
{
    [Fact]
    public void Details_come_back_from_the_disk_as_they_were()
    {
        using var rig = new OutboxRig();
        var alert = new Alert("AAAA", "login", Severity.High, "home LOGIN #AAAA", DateTimeOffset.UnixEpoch)
        {
            Details = [.. AlertDetail.Of("key", "SHA256:x"), .. AlertDetail.Of("device", null), .. AlertDetail.Of("user", "a\tb\nforged\tline\u202e")],
        };

        rig.Outbox.Raise(alert, [Route.Sms("+15551230001")]);
        var read = Assert.Single(rig.Outbox.TakeNews()).Alert;

        Assert.Equal([("key", "SHA256:x"), ("user", "a\\x09b\\x0Aforged\\x09line\\u{202E}")], read.Details.Select(d => (d.Label, d.Value)));
    }

    [Fact]
    public void None_stays_none() => Assert.Empty(AlertDetail.Read(AlertDetail.Write([])));
}
