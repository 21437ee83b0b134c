using System.Net;
using System.Net.Sockets;
using InternalHost.Configuration;
using InternalHost.Wan;
using InternalHost.Wan.Detection;
using InternalHost.Wan.Http;
using InternalHost.Wan.Links;
using InternalHost.Wan.Probes;
using Lab.World;

namespace Integration.Tests.Wan;

/// <summary>By whom an uplink really leaves: STUN and DNS servers on loopback that say what a router's NAT would make them say.</summary>
public sealed class EgressProbeTests : IAsyncLifetime
{
    private const string Host = "myip.lab.test";
    /// <summary>Of the question; long, for a busy machine. Only a silent server costs a share of it.</summary>
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(8);

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly LoopbackBlock _block = LoopbackBlock.Take();
    private readonly UplinkMeter _meter = new();
    private StunServer _stunA = null!;
    private StunServer _stunB = null!;
    private DnsServer _namesA = null!;
    private DnsServer _namesB = null!;

    private UplinkOptions Primary => new(UplinkName.Primary, "lo", _block.Primary);

    private UplinkOptions Backup => new(UplinkName.Backup, "lo", _block.Backup);

    public Task InitializeAsync()
    {
        _stunA = StunServer.Start(new IPEndPoint(_block.Address(128), 0));
        _stunB = StunServer.Start(new IPEndPoint(_block.Address(129), 0));
        _namesA = DnsServer.Start(new IPEndPoint(_block.Address(130), 0));
        _namesB = DnsServer.Start(new IPEndPoint(_block.Address(131), 0));
        return Task.CompletedTask;
    }

    public async Task DisposeAsync()
    {
        await _stunA.DisposeAsync();
        await _stunB.DisposeAsync();
        await _namesA.DisposeAsync();
        await _namesB.DisposeAsync();
        _block.Dispose();
    }

    [Fact]
    public async Task Uplinks_that_leave_by_themselves_are_answered_and_their_addresses_told()
    {
        var probe = Probe();

        Assert.Equal(ProbeOutcome.Answered, await AskAsync(probe, UplinkName.Primary));
        Assert.Equal(ProbeOutcome.Answered, await AskAsync(probe, UplinkName.Backup));

        Assert.Equal((_block.Primary, AddressSource.Stun), (probe.Last(UplinkName.Primary)!.Address, probe.Last(UplinkName.Primary)!.Source));
        Assert.Equal(_block.Backup, probe.Last(UplinkName.Backup)!.Address);
        Assert.Contains(_stunA.Seen, s => s.Address.Equals(_block.Primary));
        Assert.True(_meter.Read(UplinkName.Backup) is { Sent: > 0 and < 500, Received: > 0 and < 500 });
    }

    [Fact]
    public async Task Router_that_sends_the_primary_by_the_backup_is_refuted()
    {
        var probe = Probe();
        Assert.Equal(ProbeOutcome.Answered, await AskAsync(probe, UplinkName.Primary));

        _stunA.SeenAs = _stunB.SeenAs = from => new IPEndPoint(_block.Backup, from.Port);

        Assert.Equal(ProbeOutcome.Refuted, await AskAsync(probe, UplinkName.Primary));
        _stunA.SeenAs = _stunB.SeenAs = from => from;
        Assert.Equal(ProbeOutcome.Answered, await AskAsync(probe, UplinkName.Primary));
    }

    [Theory]
    [InlineData("silent")]
    [InlineData("refuses")]
    [InlineData("another request")]
    [InlineData("cut off")]
    public async Task First_stun_server_that_fails_is_made_up_for_by_the_second(string how)
    {
        _stunA.Behaviour = how switch
        {
            "silent" => new StunBehaviour { Silent = true },
            "refuses" => new StunBehaviour { Error = 403 },
            "another request" => new StunBehaviour { WrongTransaction = true },
            _ => new StunBehaviour { CutOff = true },
        };
        var probe = Probe();

        Assert.Equal(ProbeOutcome.Answered, await AskAsync(probe, UplinkName.Primary));
        Assert.NotEmpty(_stunA.Seen);
        Assert.NotEmpty(_stunB.Seen);
    }

    [Fact]
    public async Task Forgeries_are_passed_over_and_a_plain_address_is_read()
    {
        _stunA.Behaviour = new StunBehaviour { ForgeriesFirst = true, Plain = true };

        using var limit = new CancellationTokenSource(Patience);
        Assert.Equal(_block.Backup, await new StunClient(_meter, TimeProvider.System).AskAsync(Backup, _stunA.EndPoint, limit.Token));
    }

    [Fact]
    public async Task Lost_request_is_sent_again()
    {
        _stunA.Behaviour = new StunBehaviour { Silent = true };
        using var limit = new CancellationTokenSource(Patience);
        var asking = new StunClient(_meter, TimeProvider.System).AskAsync(Primary, _stunA.EndPoint, limit.Token);
        while (_stunA.Seen.IsEmpty)
        {
            await Task.Delay(20, limit.Token);
        }

        _stunA.Behaviour = new StunBehaviour();

        Assert.Equal(_block.Primary, await asking);
    }

    [Fact]
    public async Task Names_of_two_operators_that_agree_stand_in_for_stun()
    {
        Refuse(_stunA, _stunB);
        _namesA.Zone.AddWhoAmI(Host);
        _namesB.Zone.AddWhoAmI(Host);
        var probe = Probe();

        Assert.Equal(ProbeOutcome.Answered, await AskAsync(probe, UplinkName.Primary));
        Assert.Equal((_block.Primary, AddressSource.Names), (probe.Last(UplinkName.Primary)!.Address, probe.Last(UplinkName.Primary)!.Source));
    }

    [Fact]
    public async Task One_forged_name_decides_nothing()
    {
        var probe = Probe();
        Assert.Equal(ProbeOutcome.Answered, await AskAsync(probe, UplinkName.Primary));
        Refuse(_stunA, _stunB);
        _namesA.Zone.Add(Host, _block.Backup);

        Assert.Equal(ProbeOutcome.Lost, await AskAsync(probe, UplinkName.Primary));
        Assert.Equal(AddressSource.OneName, probe.Last(UplinkName.Primary)!.Source);

        _namesB.Zone.AddText(Host, $"{_block.Backup}");
        Assert.Equal(ProbeOutcome.Refuted, await AskAsync(probe, UplinkName.Primary));
    }

    [Fact]
    public async Task Backup_that_is_silent_leaves_the_primary_alone()
    {
        var probe = Probe(backup: Backup with { Interface = "nosuchif0" });

        Assert.Equal(ProbeOutcome.Answered, await AskAsync(probe, UplinkName.Primary));
        Assert.Null(probe.Last(UplinkName.Backup));
        Assert.Equal(ProbeOutcome.Lost, await AskAsync(probe, UplinkName.Backup));
    }

    [Fact]
    public async Task Nobody_who_answers_is_lost_not_an_error()
    {
        var gone = new UplinkOptions(UplinkName.Primary, "nosuchif0", _block.Primary);

        Assert.Equal(ProbeOutcome.Lost, await AskAsync(Probe(primary: gone), UplinkName.Primary));
        Assert.Equal(ProbeOutcome.Lost, await AskAsync(Probe(witnesses: Witnesses() with { Stun = [], WhoAmI = [] }), UplinkName.Primary));
    }

    [Fact]
    public async Task Named_server_is_resolved_by_the_uplink_and_remembered_when_names_die()
    {
        const string name = "stun.lab.test";
        _namesA.Zone.Add(name, _stunA.EndPoint.Address);
        var probe = Probe(witnesses: Witnesses() with { Stun = [new DnsEndPoint(name, _stunA.EndPoint.Port)], Resolvers = [_namesA.EndPoint] });

        Assert.Equal(ProbeOutcome.Answered, await AskAsync(probe, UplinkName.Primary));
        Assert.Contains(_namesA.Seen, s => s.Name.Equals(name, StringComparison.OrdinalIgnoreCase) && s.From.Equals(_block.Primary));

        _namesA.Zone.Remove(name);
        Assert.Equal(ProbeOutcome.Answered, await AskAsync(probe, UplinkName.Primary));
    }

    private static void Refuse(params StunServer[] servers) => Array.ForEach(servers, s => s.Behaviour = new StunBehaviour { Error = 403 });

    private static async Task<ProbeOutcome> AskAsync(EgressProbe probe, UplinkName uplink)
    {
        using var limit = new CancellationTokenSource(Patience);
        return await probe.AskAsync(uplink, AddressFamily.InterNetwork, Limit, limit.Token);
    }

    private EgressProbe Probe(UplinkOptions? primary = null, UplinkOptions? backup = null, WitnessOptions? witnesses = null)
    {
        witnesses ??= Witnesses();
        var resolver = new UplinkResolver(witnesses.Resolvers, lastGood: null, _meter, TimeProvider.System);
        var client = new PublicAddressClient(witnesses, new NamedServers(resolver, TimeProvider.System), _meter, TimeProvider.System);
        return new EgressProbe(primary ?? Primary, backup ?? Backup, client, new UplinkFamilies(TimeProvider.System), TimeProvider.System);
    }

    private WitnessOptions Witnesses() => new([], [], [], new TlsWitness("a", []), new TlsWitness("b", []), [], [], "probe.test")
    {
        Stun = [Server(_stunA.EndPoint), Server(_stunB.EndPoint)],
        WhoAmI = [new WhoAmI(Host, Text: false, Server(_namesA.EndPoint)), new WhoAmI(Host, Text: true, Server(_namesB.EndPoint))],
    };

    private static DnsEndPoint Server(IPEndPoint at) => new($"{at.Address}", at.Port);
}
