using System.Collections.Immutable;
using System.Net;
using InternalHost.Cloud;
using InternalHost.Configuration;
using InternalHost.Failover;
using InternalHost.Wan.Detection;

namespace InternalHost.Simulation;

/// <summary>The site that is simulated: two people, two uplinks, the defaults of the product.</summary>
internal static class SimulatedSite
{
    public static readonly SiteOptions Options = new(
        "home",
        "/nowhere",
        "/nowhere",
        new UplinkOptions(UplinkName.Primary, "eth0", CarrierIsModem: true),
        new UplinkOptions(UplinkName.Backup, "wwan0"),
        new WitnessOptions(
            [IPEndPoint.Parse("192.0.2.53:53")], SiteDefaults.DnsA, SiteDefaults.DnsB, SiteDefaults.TlsA, SiteDefaults.TlsB,
            SiteDefaults.Resolvers, SiteDefaults.TimeServers, SiteDefaults.ProbeName),
        new OutageOptions(
            SiteDefaults.ConfirmAfter(OutagePreset.Balanced), SiteDefaults.RecoverAfter, SiteDefaults.TellAfter, SiteDefaults.StopAfter, TimeSpan.FromHours(24)),
        new BastionOptions(
            CloudKind.Ec2, SiteDefaults.BastionPorts, "home", "/nowhere/key", ["ssh-ed25519 AAAA"], "bastion-home", SiteDefaults.FirstForwardPort,
            SiteDefaults.AgentPort, "home.example.net", null, null, TunnelProfile.Serving),
        [new ServiceOptions("ssh", "127.0.0.1", 22, SiteDefaults.FirstForwardPort)],
        [Person("ana", "+15550100"), Person("ben", "+15550101")],
        new MessageOptions(new SmsOptions(new Uri("https://sms.example.net"), "AC0", "SK0", "/nowhere/secret", "+15550199", []), "pi"));

    public static FailoverPolicy Policy(Lifecycle lifecycle) => new(
        Options.Outage.TellAfter, Options.Outage.StopAfter, Options.Outage.MaxUptime, lifecycle, HasAgent: true);

    private static PersonOptions Person(string name, string number) => new(name, number, ["ssh"], ImmutableDictionary<string, string>.Empty);
}
