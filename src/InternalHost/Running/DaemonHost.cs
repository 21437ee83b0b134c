using System.Collections.Immutable;
using System.Net;
using System.Net.Sockets;
using Common.Alerts;
using Common.Alerts.Sms;
using Common.Alerts.Test;
using Common.Hosting;
using Common.Journal;
using Common.Processes;
using InternalHost.Cloud;
using InternalHost.Cloud.Inventory;
using InternalHost.Configuration;
using InternalHost.Control;
using InternalHost.Failover;
using InternalHost.Logins;
using InternalHost.Messages;
using InternalHost.Naming;
using InternalHost.Pins;
using InternalHost.Sync;
using InternalHost.Tunnel;
using InternalHost.Wan;
using InternalHost.Wan.Clock;
using InternalHost.Wan.Detection;
using InternalHost.Wan.Http;
using InternalHost.Wan.Links;
using InternalHost.Wan.Observing;
using InternalHost.Wan.Probes;
using InternalHost.Wan.Recording;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace InternalHost.Running;

/// <summary>
/// Puts <c>internalhost run</c> together: every part is made here, once, by hand, in the order in which they need each other. Services
/// start in the order in which they are added.
/// </summary>
internal sealed class DaemonHost : IAsyncDisposable
{
    /// <summary>Each loop turns at least every five seconds: silent for this long, it hangs.</summary>
    private static readonly TimeSpan LoopLimit = TimeSpan.FromSeconds(30);

    private readonly Database _database;
    private readonly FailoverEffects _effects;
    private readonly List<HttpClient> _gateways = [];
    private readonly Func<bool> _healthy;
    private readonly DaemonControl _control;

    public DaemonHost(SiteReading reading, string configFile, IServiceCollection services, ILoggerFactory logs, TimeProvider time)
    {
        var site = reading.OptionsOrThrow();
        _database = StateFile.Open(site.StateDirectory, out var diskProblem);
        if (diskProblem is not null)
        {
            DaemonLog.Disk(logs.CreateLogger<DaemonHost>(), diskProblem);
        }

        Remember(reading);

        var launcher = new SystemProcessLauncher(time);
        var keys = new AcceptedKeys(site.Bastion.HostKeys);

        // The uplinks, and the world by them.
        var timeJournal = new TimeJournal(_database);
        var trusted = new TrustedTime(new KernelClock(), time, timeJournal.Read(), TrustedTime.BuildDate);
        var memory = new UplinkMemory(_database);
        var (probeMeter, worldMeter) = (new UplinkMeter(), new UplinkMeter());
        var inbox = new FailoverInbox(time);
        var wayIn = new WayInByTunnel(inbox, time);
        var witnesses = new WitnessProber(site.Primary, site.Backup, site.Witnesses, trusted, probeMeter, time);
        IProber prober = site.Primary.Observe is { } observe
            ? new ObservingProber(witnesses, Observers.Of(site, observe, trusted, launcher, time, logs.CreateLogger<RouterObserver>())) : witnesses;
        var bastion = new BastionWitness(prober, new HostKeyProof(launcher, site.Bastion, site.RuntimeDirectory, time, keys: keys), site.Primary);
        var links = new LinkEvents(NetlinkSocket.ToListen, time, logs.CreateLogger<LinkEvents>());
        var wanOptions = WanOptions.From(site, memory.WasUp(site.Primary), memory.WasUp(site.Backup));
        var recorder = site.RecordBytes == 0 ? null : new ProbeRecorder(
            site.StateDirectory, site.RecordBytes, wanOptions.PrimaryDetector.Witnesses, time, logs.CreateLogger<ProbeRecorder>());
        var wan = new WanService(
            wanOptions,
            bastion,
            new KernelCarrier(new SysfsCarrier()),
            new PathLookup(),
            report => OnUplink(report, site, memory, inbox, wayIn),
            time,
            logs.CreateLogger<WanService>(),
            links)
        {
            Heard = recorder is null ? null : recorder.Hear,
            BastionProof = () => wayIn.Proof,
            BastionRuns = () => bastion.Runs,
            Returned = () => TryNow(wayIn),
        };
        var route = WayOut.Route(site.Primary, site.Backup, () => wan.Primary.Usable, () => wan.Backup.Usable);
        var nat64 = new Nat64([.. site.Witnesses.IspDns, .. site.Witnesses.Resolvers], new UplinkFamilies(time), worldMeter, time);
        var resolver = new UplinkResolver(site.Witnesses.Resolvers, new LastGoodAddresses(_database, time), worldMeter, time, nat64);
        var http = new UplinkHttp(route, new UplinkDialler(resolver, trusted, worldMeter, time), trusted);
        var cloud = CloudFactory.Create(site, launcher, http, time, logs);
        var live = new LiveOptions(site, cloud.Lifecycle);

        // The tunnel, by the uplink that our own calls take too.
        var transport = new MeasuredTransport(new OpenSshTransport(launcher, site.Bastion, site.RuntimeDirectory, time, keys: keys), () => route()[0].Name);
        var dialler = new ReachingDialler(new BannerDialler(address => OpenSocket(route()[0], address), site.Bastion.Ports, time), () => route()[0], nat64);
        var tunnel = new TunnelService(
            new SyncingTransport(transport, () => wayIn.Sync),
            dialler,
            site.Bastion,
            [.. site.Services.Select(RemoteForward.To)],
            site.RuntimeDirectory,
            time,
            logs.CreateLogger<TunnelService>(),
            wayIn.OnNews);
        wayIn.Tunnel = tunnel;
        wayIn.By = () => transport.Last;
        wayIn.Agent = new AgentClient(tunnel.OpenDirectAsync, site.Bastion.AgentPort, time);

        // What the owner is told.
        var meter = new OutageMeter(() => probeMeter.Read(UplinkName.Backup) + worldMeter.Read(UplinkName.Backup) + transport.Read(UplinkName.Backup));
        var outbox = new Outbox(_database);
        var outboxService = new OutboxService(outbox, Channels(site, http, time), time, logs.CreateLogger<OutboxService>())
        {
            Site = site.Site,
            Hold = alert => site.Messages.Channels.Quiet is { } quiet && trusted.Source != TimeSource.Floor
                ? quiet.Hold(alert, TimeZoneInfo.ConvertTime(trusted.Now, time.LocalTimeZone)) : TimeSpan.Zero,
        };
        NameService? naming = null;
        var alerts = new OutageAlerts(
            outbox, () => live.Now, () => tunnel.Snapshot, outage => meter.Read(outage) is { } b ? b.Sent + b.Received : null,
            () => trusted.Source == TimeSource.Floor ? null : trusted.Now, time)
        {
            Name = () => naming is null ? live.Now.Bastion.Name : naming.ForPeople,
        };

        // The controller.
        var journal = new FailoverJournal(_database, FailoverJournal.ThisBoot(), time);
        _effects = new FailoverEffects(inbox, cloud, wayIn, alerts, time, logs.CreateLogger<FailoverEffects>());
        var failover = new FailoverService(inbox, journal, _effects, () => live.Policy, time, logs.CreateLogger<FailoverService>())
        {
            Changed = state =>
            {
                meter.Observe(state);
                wan.Attentive = state.Phase is Phase.Starting or Phase.Connecting;
            },
        };

        var bastionAlerts = new BastionAlerts(outbox, () => live.Now, () => failover.Snapshot.Outage?.Number, time);
        wayIn.Evicted = bastionAlerts.TellEvicted;
        if (site.Bastion.SyncUser is not null)
        {
            var client = new SyncClient(
                launcher, dialler, site.Bastion, site.RuntimeDirectory, time, bytes => worldMeter.Add(route()[0].Name, bytes.Acknowledged, bytes.Received), keys: keys);
            var push = new BundlePush(
                () => live.Now, new BundleNumbers(_database, site.Site), client.SendAsync,
                () => trusted.Source == TimeSource.Floor ? null : trusted.Now.ToUnixTimeSeconds(), Zone(time));
            wayIn.Sync = new SyncService(push.RunAsync, push.DiffersAsync, bastionAlerts.TellSync, time, logs.CreateLogger<SyncService>());
        }

        if (NameFactory.Create(site, launcher, http, time) is { } records)
        {
            var open = new UplinkResolver(site.Witnesses.Resolvers, lastGood: null, worldMeter, time);
            naming = new NameService(
                site.Bastion.Name!, records, () => failover.Snapshot.Watch.Instance, async ct => await NameFactory.AskAsync(open, route()[0], site.Bastion.Name!, ct),
                time, logs.CreateLogger<NameService>());
            services.AddSingleton<IHostedService>(naming);
        }

        bastion.Addresses = () => site.Bastion.Address is { } always ? [always]
            : failover.Snapshot.Watch.Instance is { State: InstanceState.Running } running ? running.Addresses : [];

        var logins = new InsideLogins(
            site.Logins, () => live.Now, _database, outbox, wayIn.Agent.AskAsync,
            () => trusted.Source == TimeSource.Floor ? null : TimeZoneInfo.ConvertTime(trusted.Now, time.LocalTimeZone),
            FailoverJournal.ThisBoot(), launcher, logs, time);

        // The operator.
        var egress = new TunnelEgress(() => tunnel.Snapshot, wayIn.Agent.AskAsync, time);
        var status = new StatusBuilder(live, wan, failover, journal, tunnel, outboxService, trusted, meter, diskProblem, time)
        {
            RecordingProblem = () => recorder?.Problem,
            Egress = () => egress.Address,
            Sync = () => wayIn.Sync?.Snapshot,
            Name = () => naming?.Snapshot,
            Pins = () => PinFile.Of(live.Now.Bastion),
            Logins = () => new LoginsStatus(logins.Log, logins.Hook, logins.Trouble),
        };
        var tests = new ChannelTests(outbox, outboxService, site.Site, () => OutageAlerts.Everybody(live.Now), time);
        _control = new DaemonControl(new OperatorOrders(inbox), live, keys, tunnel, status, _database, tests, configFile, () => Read(configFile), wayIn.Sync);
        _healthy = () => Common.Time.Instant.Now(time) is var now && now - wan.LastTurn < LoopLimit && now - failover.LastTurn < LoopLimit;

        services.AddSingleton<IHostedService>(outboxService);
        if (wayIn.Sync is { } sync)
        {
            services.AddSingleton<IHostedService>(sync);
        }

        services.AddSingleton<IHostedService>(tunnel);
        services.AddSingleton<IHostedService>(failover);
        services.AddSingleton<IHostedService>(new InnerSshWatch(inbox, live, () => tunnel.Snapshot, time));
        services.AddSingleton<IHostedService>(egress);
        logins.Services.ToList().ForEach(s => services.AddSingleton(s));
        services.AddSingleton<IHostedService>(links);
        services.AddSingleton<IHostedService>(wan);
        services.AddSingleton<IHostedService>(new UplinkAlerts(
            _database, outbox, new UplinkAlertMemory(_database, FailoverJournal.ThisBoot()), () => live.Now, () => wan.Primary, () => wan.Backup,
            () => failover.Snapshot.Outage is { DownAt: not null }, () => trusted.Source == TimeSource.Floor ? null : trusted.Now, time));
        services.AddSingleton<IHostedService>(new SpendWatch(
            _database, outbox, () => live.Now, () => IsIdle(failover.Snapshot, time),
            () => trusted.Source == TimeSource.Floor ? null : TimeZoneInfo.ConvertTime(trusted.Now, time.LocalTimeZone), time));
        if (CloudInventories.Create(site, http, time) is { } inventory)
        {
            services.AddSingleton<IHostedService>(new CloudReconciler(
                _database, outbox, inventory, cloud, () => live.Now, () => IsAtPeace(failover.Snapshot, time),
                () => trusted.Source == TimeSource.Floor ? null : trusted.Now, time, logs.CreateLogger<CloudReconciler>()));
        }

        if (recorder is not null)
        {
            services.AddSingleton<IHostedService>(recorder);
        }

        if (!site.Backup.BringUp.IsEmpty)
        {
            services.AddSingleton<IHostedService>(new BringUp(
                site.Backup.BringUp,
                () => wan.Backup.Usable != Usable.Yes && (wan.Primary.Usable == Usable.No || wan.Attentive),
                launcher, time, logs.CreateLogger<BringUp>()));
        }

        services.AddSingleton<IHostedService>(new TrustedTimeService(
            trusted, new SntpClient(site.Witnesses.TimeServers, worldMeter, time), timeJournal, route, time, logs.CreateLogger<TrustedTimeService>()));
        // Last: whoever asks is told what the journal says, not what an empty daemon knows.
        services.AddSingleton<IHostedService>(new ControlServer(site.ControlSocket, _control, time, logs.CreateLogger<ControlServer>()));
    }

    public bool Healthy() => _healthy();

    public ControlReply Reload() => _control.Reload();

    public async ValueTask DisposeAsync()
    {
        await _effects.DisposeAsync();
        _gateways.ForEach(client => client.Dispose());
        _database.Dispose();
    }

    /// <summary>The primary works, and nobody needs the VM.</summary>
    private static bool IsAtPeace(FailoverState state, TimeProvider time) =>
        state is { Phase: Phase.Standby, Outage: null, Watch.Primary: Usable.Yes } && !state.Orders.Open(Common.Time.Instant.Now(time));

    /// <summary>The VM runs, and nobody needs it.</summary>
    private static bool IsIdle(FailoverState state, TimeProvider time) =>
        state.Watch is { Instance.State: InstanceState.Running or InstanceState.Pending, Primary: Usable.Yes, Sessions: null or 0 } && !state.Orders.Open(Common.Time.Instant.Now(time));

    private SiteReading Read(string configFile)
    {
        var reading = SiteConfiguration.Load(configFile, ServicePortMemory.Load(_database));
        if (reading.Options is not null)
        {
            Remember(reading);
        }

        return reading;
    }

    private void Remember(SiteReading reading)
    {
        try
        {
            ServicePortMemory.Save(_database, reading.PortMemory);
        }
        catch (SqliteException)
        {
            // The journal tells of the disk. Without this memory the file's order gives the ports, as it did just now.
        }
    }

    private static void OnUplink(UplinkReport report, SiteOptions site, UplinkMemory memory, FailoverInbox inbox, WayInByTunnel wayIn)
    {
        inbox.TryPost(at => new FailoverEvent.UplinkSeen(at, report.Name, report.Usable));
        if (report.EverUp)
        {
            memory.Remember(report.Name == UplinkName.Primary ? site.Primary : site.Backup);
        }

        if (report.Usable == Usable.Yes)
        {
            TryNow(wayIn);
        }
    }

    private static void TryNow(WayInByTunnel wayIn)
    {
        if (wayIn.Wanted)
        {
            wayIn.Tunnel.Nudge();
        }
    }

    private List<IMessageChannel> Channels(SiteOptions site, UplinkHttp http, TimeProvider time)
    {
        var channels = site.Messages.Channels.Make(Client, time).ToList();
        if (site.Messages.Sms is { } sms)
        {
            var client = Client(sms.CaFile);
            channels.Add(new TwilioSms(() => client, new TwilioOptions(sms.BaseUrl, sms.AccountSid, sms.KeyName, sms.SecretFile, sms.From), time));
        }

        return channels;

        HttpClient Client(string? caFile)
        {
            var client = http.CreateClient(caFile);
            _gateways.Add(client);
            return client;
        }
    }

    private static string? Zone(TimeProvider time) => time.LocalTimeZone is { HasIanaId: true } zone ? zone.Id : null;

    /// <summary>A loopback address (provider <c>local</c>) is behind no uplink: from a real interface it is dialled unbound.</summary>
    private static Socket OpenSocket(UplinkOptions uplink, IPAddress address) => IPAddress.IsLoopback(address) && uplink.Interface != "lo"
        ? new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp)
        : BoundSocket.Tcp(uplink, address.AddressFamily);
}

internal static partial class DaemonLog
{
    [LoggerMessage(1201, LogLevel.Error, "{Problem}")]
    public static partial void Disk(ILogger log, string problem);
}
