using System.Text.Json;
using InternalHost.Cloud;
using InternalHost.Control;
using InternalHost.Tunnel;
using InternalHost.Wan.Detection;

namespace InternalHost.Tests.Control;

public sealed class StatusTests
{
    [Fact]
    public void Text_calm() => Golden(
        """
        home: all is well, the way in is not needed

         primary      Up             for 3 d, start
         backup       Up             for 2 h 30 min
         controller   Standby        for 3 d
         VM           stopped        seen 31 s ago
         tunnel       idle
         sessions     unknown        never seen
         alerts       none
         journal      ok
         clock        in step        by kernel

        """,
        Reports.Calm);

    [Fact]
    public void Text_serving() => Golden(
        """
        home: the way in is open, proven 3 s ago (outage 7)

         primary      Down           for 25 min, dark
         backup       Up             for 2 h 30 min
         controller   Serving        for 24 min, because the primary is down
         VM           running        198.51.100.10, seen 4 s ago
         tunnel       verified       proven 3 s ago, 198.51.100.10:443
           ssh        open           22001 -> 127.0.0.1:22
           kvm        target down    22002 -> 192.168.1.21:443
         sessions     1              seen 6 s ago
         alerts       1 pending
         journal      ok
         clock        in step        by kernel
         over backup  24 MB          3214 kB sent, 20.8 MB received

        kvm: nothing answers at 192.168.1.21:443. The tunnel is good; is that service running?

        """,
        Reports.Serving);

    [Fact]
    public void Text_says_what_the_bastion_knows_of_people()
    {
        Assert.Contains("\n people there current        bundle 1794000000, pushed 40 s ago\n", Text(new PeopleStatus(1_794_000_000, 40, null, null, null, null)), StringComparison.Ordinal);
        Assert.Contains("\n people there not pushed\n", Text(new PeopleStatus(null, null, null, null, null, null)), StringComparison.Ordinal);
        Assert.Contains(
            "\n people there NOT CURRENT    Denied: Permission denied (5 s ago), next try in 25 s\n",
            Text(new PeopleStatus(null, null, "Denied", "Permission denied", 5, 25)), StringComparison.Ordinal);

        static string Text(PeopleStatus people) => StatusText.Render(Reports.Serving with { People = people });
    }

    [Fact]
    public void Text_everything_wrong() => Golden(
        """
        home: the way in is being opened: the tunnel is connecting (outage 7)

         primary      Down           for 25 min, egress
         backup       Down           for 10 s, no path
         controller   Connecting     for 24 min, because it was ordered, waiting for the backup
         order        open           for another 1 h 12 min
         order        paused         for another 59 s, new router
         VM           running        198.51.100.10, never seen, the provider does not answer
         tunnel       waiting        198.51.100.10:443, another host key than the pinned one: REMOTE HOST IDENTIFICATION
         sessions     unknown        never seen
         alerts       1 pending, 2 LOST
         journal      FAILING        disk full
         clock        not in step    by sntp

        The bastion shows another host key. Do not accept a new key on your phone. If you have rebuilt the VM: internalhost pins add KEY, then internalhost reload.
        The primary leaves by the backup's provider: the router has fallen over by itself.
        There is no route by the backup: internalhost doctor shows the rule to add.
        Both uplinks are down: nothing can be opened from here. The backup is tried every 5 s.
        2 messages were not delivered and are given up: journalctl -u internalhost says why.
        The state file cannot be written (is the card full or dying?). Outages are still survived, from memory.

        """,
        Reports.Serving with
        {
            Uplinks = new UplinksStatus(new UplinkStatus(UplinkState.Down, Usable.No, 1_500, "egress"), new UplinkStatus(UplinkState.Down, Usable.No, 10, "no_path")),
            Controller = new ControllerStatus("Connecting", 7, 1_450.2, "Operator", new OrdersStatus(OpenLeftS: 4_339, PausedLeftS: 59.9, PausedWhy: "new router"), "the backup"),
            Vm = new VmStatus(InstanceState.Running, "198.51.100.10", null, "the provider does not answer"),
            Tunnel = new TunnelStatus("waiting", null, TunnelReason.HostKeyChanged, "REMOTE HOST IDENTIFICATION", 3, "198.51.100.10:443", []),
            Sessions = new SessionsStatus(null, null),
            Alerts = new AlertsStatus(1, 2),
            Journal = new JournalStatus(false, "disk full"),
            Clock = new ClockStatus(false, "sntp"),
            Bytes = new BytesStatus(null, null),
        });

    [Fact]
    public void Text_of_a_primary_that_nobody_watches() => Golden(
        """
        home: the way in opens by order only

         wiring       D              by the backup only; nothing watches the primary
         primary      Unknown        for 3 d, not watched
         backup       Up             for 2 h 30 min, answered, leaves as 203.0.113.7 (4 min ago)
         controller   Standby        for 3 d
         VM           stopped        seen 31 s ago
         tunnel       idle
         sessions     unknown        never seen
         alerts       none
         journal      ok
         recording    FAILING        disk full
         clock        in step        by kernel

        Nothing watches the primary (wiring D): a way in opens only by internalhost open, or when you start the VM in the provider's app.
        The probes are not recorded, so internalhost replay will have nothing of this time. Nothing else suffers.

        """,
        Reports.Unwatched);

    [Fact]
    public void Json_names_wiring_addresses_and_recording()
    {
        var json = JsonSerializer.Serialize(Reports.Unwatched, StatusJson.Default.StatusReport);

        var uplinks = JsonDocument.Parse(json).RootElement.GetProperty("uplinks");
        Assert.Equal("D", uplinks.GetProperty("wiring").GetString());
        Assert.False(uplinks.GetProperty("primary").TryGetProperty("public_address", out _));
        Assert.Equal("203.0.113.7", uplinks.GetProperty("backup").GetProperty("public_address").GetString());
        Assert.Equal(250, uplinks.GetProperty("backup").GetProperty("public_address_age_s").GetDouble());
        Assert.Contains("\"recording\":{\"ok\":false,\"problem\":\"disk full\"}", json, StringComparison.Ordinal);
        Assert.Equal(StatusText.Render(Reports.Unwatched), StatusText.Render(JsonSerializer.Deserialize(json, StatusJson.Default.StatusReport)!));
    }

    [Theory]
    [InlineData(UplinkState.Unknown, Reasons.NeverUp, "never seen up")]
    [InlineData(UplinkState.Unknown, Reasons.Egress, "internalhost doctor prints the rules")]
    [InlineData(UplinkState.Unknown, Reasons.Silent, "tell nothing")]
    [InlineData(UplinkState.Down, Reasons.Carrier, "cable in?")]
    [InlineData(UplinkState.Down, Reasons.NoPath, "no route by the ")]
    [InlineData(UplinkState.IspOnly, Reasons.IspOnly, "past its provider")]
    [InlineData(UplinkState.Walled, Reasons.Portal, "sign-in page")]
    [InlineData(UplinkState.Walled, Reasons.Walled, "sign-in page")]
    [InlineData(UplinkState.Walled, Reasons.Hijack, "forged")]
    [InlineData(UplinkState.Degraded, Reasons.Degraded, "loses packets")]
    [InlineData(UplinkState.Degraded, Reasons.Slow, "slower than usual")]
    [InlineData(UplinkState.Degraded, Reasons.FamilyLost, "lost IPv4 or IPv6")]
    [InlineData(UplinkState.Degraded, Reasons.Hijack, "forged name answers")]
    [InlineData(UplinkState.LocalFault, Reasons.BothDark, "this machine, its cable")]
    internal void Reason_of_either_uplink_has_its_advice(UplinkState state, string reason, string words)
    {
        var status = new UplinkStatus(state, state == UplinkState.Degraded ? Usable.Yes : Usable.Unknown, 60, reason);

        Assert.Contains(words, Assert.Single(StatusAdvice.For(Reports.Calm with { Uplinks = Reports.Calm.Uplinks with { Primary = status } })), StringComparison.Ordinal);
        Assert.Contains(words, Assert.Single(StatusAdvice.For(Reports.Calm with { Uplinks = Reports.Calm.Uplinks with { Backup = status } })), StringComparison.Ordinal);
    }

    [Fact]
    public void Tunnel_is_open_only_with_a_proof()
    {
        var unproven = Reports.Serving with { Tunnel = Reports.Serving.Tunnel with { State = "connecting", VerifiedAgeS = null } };

        Assert.StartsWith("home: the way in is being restored", StatusText.Render(unproven), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Standby", "all is well")]
    [InlineData("Starting", "the VM is starting")]
    [InlineData("Connecting", "the tunnel is connecting")]
    [InlineData("Draining", "closes when nobody uses it")]
    [InlineData("Stopping", "the VM is being stopped")]
    public void Headline_of_every_phase(string state, string words)
    {
        var report = Reports.Calm with { Controller = Reports.Calm.Controller with { State = state } };

        Assert.Contains(words, StatusText.Render(report).Split('\n')[0], StringComparison.Ordinal);
    }

    [Fact]
    public void Every_tunnel_reason_has_words()
    {
        Assert.All(Enum.GetValues<TunnelReason>().Where(r => r != TunnelReason.Unknown), r => Assert.NotEqual("unknown", StatusAdvice.Words(r)));
    }

    [Fact]
    public void One_line_changes_only_with_what_matters()
    {
        var later = Reports.Serving with { Tunnel = Reports.Serving.Tunnel with { VerifiedAgeS = 9 }, Time = Reports.Serving.Time.AddSeconds(5) };

        Assert.Equal("home  primary Down  backup Up  Serving  VM Running  tunnel verified  sessions 1  alerts pending 1", StatusText.OneLine(Reports.Serving));
        Assert.Equal(StatusText.OneLine(Reports.Serving), StatusText.OneLine(later));
    }

    [Fact]
    public void Json_has_the_promised_shape()
    {
        const string Expected = """
            {"version":"0.1.0","site":"home","time":"2026-11-21T02:14:00+00:00","clock":{"synchronised":true,"source":"kernel"},
            "uplinks":{"primary":{"state":"Down","usable":"no","since_s":1500,"reason":"dark"},"backup":{"state":"Up","usable":"yes","since_s":9000,"reason":null}},
            "controller":{"state":"Serving","outage":7,"since_s":1450.2,"cause":"PrimaryDown","orders":{"open_left_s":null,"paused_left_s":null,"paused_why":null,"closed_left_s":null,"closed_by":null},"waiting_for":null,"hold":null},
            "vm":{"state":"Running","address":"198.51.100.10","age_s":4.2,"problem":null},
            "tunnel":{"state":"verified","verified_age_s":3.9,"reason":null,"detail":null,"run":3,"address":"198.51.100.10:443","forwards":[{"name":"ssh","port":22001,"target":"127.0.0.1:22","state":"open","reason":null},{"name":"kvm","port":22002,"target":"192.168.1.21:443","state":"target_down","reason":null}]},
            "sessions":{"count":1,"age_s":6},"alerts":{"pending":1,"dead":0,"problem":null},"journal":{"ok":true,"problem":null},"bytes":{"sent":3214000,"received":20800000}}
            """;

        Assert.Equal(Expected.ReplaceLineEndings(""), JsonSerializer.Serialize(Reports.Serving, StatusJson.Default.StatusReport));
    }

    [Fact]
    public void Status_crosses_the_socket_whole()
    {
        var sent = new ControlReply(Ok: true, Status: Reports.Serving with { Tunnel = Reports.Serving.Tunnel with { Reason = TunnelReason.Closed } });

        var received = JsonSerializer.Deserialize(JsonSerializer.Serialize(sent, ControlJson.Default.ControlReply), ControlJson.Default.ControlReply)!;

        Assert.Equal(StatusText.Render(sent.Status!), StatusText.Render(received.Status!));
        Assert.Equal(TunnelReason.Closed, received.Status!.Tunnel.Reason);
    }

    private static void Golden(string expected, StatusReport report) => Assert.Equal(expected, StatusText.Render(report));
}
