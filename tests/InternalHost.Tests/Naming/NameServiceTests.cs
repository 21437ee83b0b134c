using System.Collections.Immutable;
using System.Net;
using InternalHost.Cloud;
using InternalHost.Naming;
using Microsoft.Extensions.Logging.Abstractions;
using Testing;

namespace InternalHost.Tests.Naming;

public sealed class NameServiceTests
{
    private const string Name = "home.example.net";
    private static readonly IPAddress A = IPAddress.Parse("203.0.113.7");
    private static readonly IPAddress B = IPAddress.Parse("203.0.113.8");
    private static readonly IPAddress A6 = IPAddress.Parse("2001:db8::7");

    private readonly FakeTime _time = new();
    private readonly Recorded _records = new();
    private InstanceSight? _seen;
    private ImmutableArray<IPAddress> _dns = [];
    private readonly NameService _service;

    public NameServiceTests() => _service = new NameService(
        Name, _records, () => _seen, _ => Task.FromResult(_dns), _time, NullLogger<NameService>.Instance);

    [Fact]
    public async Task VM_that_runs_gives_the_name_its_addresses_and_DNS_is_asked_until_it_says_so()
    {
        await TurnsAsync(3);
        Assert.Equal(new NameState(Name), _service.Snapshot);
        Assert.Equal(Name, _service.ForPeople);

        Runs("1", A, A6);
        _dns = [B];
        await TurnsAsync(2);
        Assert.Equal([new NameAddresses(A, A6)], _records.Put);
        Assert.Equal(("set", Name, null), (_service.Snapshot.State, _service.ForPeople, _service.Snapshot.Problem));

        _dns = [A6, A];
        await TurnsAsync(20);
        Assert.Equal("seen", _service.Snapshot.State);
        Assert.Single(_records.Put);
    }

    [Fact]
    public async Task Each_start_sets_it_anew_and_a_stop_leaves_it()
    {
        Runs("1", A);
        await TurnsAsync(2);
        _seen = new InstanceSight("i-1", InstanceState.Stopped, []);
        await TurnsAsync(2);
        Assert.Equal("left", _service.Snapshot.State);
        Assert.Single(_records.Put);

        Runs("2", A);
        await TurnsAsync(2);
        Runs("2", B);
        await TurnsAsync(2);
        Runs("3", B);
        await TurnsAsync(2);
        Assert.Equal([A, A, B, B], _records.Put.Select(p => p.V4));
    }

    [Fact]
    public async Task As_long_as_it_fails_people_are_told_the_address_and_it_is_tried_again()
    {
        _records.Fails = new CloudException(CloudFailure.Denied, "our token may not do this");
        Runs("1", A);
        await TurnsAsync(10);
        Assert.Null(_service.ForPeople);
        Assert.Equal(("wanted", "our token may not do this"), (_service.Snapshot.State, _service.Snapshot.Problem));

        _records.Fails = null;
        await TurnsAsync(70);
        Assert.Equal((Name, null), (_service.ForPeople, _service.Snapshot.Problem));
        Assert.InRange(_records.Asked, 3, 30);
    }

    [Fact]
    public async Task Name_that_DNS_does_not_give_is_told_after_a_while()
    {
        Runs("1", A);
        _dns = [B];
        await TurnsAsync(250);
        Assert.Null(_service.Snapshot.Problem);

        await TurnsAsync(100);
        Assert.Equal("DNS says 203.0.113.8, not 203.0.113.7: is the zone the one that the world asks?", _service.Snapshot.Problem);

        _dns = [A];
        await TurnsAsync(20);
        Assert.Equal(("seen", null), (_service.Snapshot.State, _service.Snapshot.Problem));
    }

    [Fact]
    public async Task Old_address_of_the_other_family_counts_as_not_seen()
    {
        Runs("1", A);
        _dns = [A, A6];
        await TurnsAsync(20);
        Assert.Equal("set", _service.Snapshot.State);
    }

    [Fact]
    public async Task Provider_that_never_answers_is_given_up_and_asked_again()
    {
        _records.Silent = true;
        Runs("1", A);
        var turn = _service.TurnAsync(default);
        _time.Advance(TimeSpan.FromMinutes(2));
        await turn;
        Assert.Contains("no answer within", _service.Snapshot.Problem, StringComparison.Ordinal);

        _records.Silent = false;
        await TurnsAsync(70);
        Assert.True(_service.Snapshot.Put);
    }

    private void Runs(string launch, params IPAddress[] addresses) => _seen = new InstanceSight("i-1", InstanceState.Running, [.. addresses], LaunchId: launch);

    /// <summary>A second each.</summary>
    private async Task TurnsAsync(int turns)
    {
        for (var i = 0; i < turns; i++)
        {
            await _service.TurnAsync(default);
            _time.Advance(TimeSpan.FromSeconds(1));
        }
    }

    private sealed class Recorded : INameRecords
    {
        public List<NameAddresses> Put { get; } = [];

        public int Asked { get; private set; }

        public CloudException? Fails { get; set; }

        public bool Silent { get; set; }

        public async Task PutAsync(string name, NameAddresses addresses, CancellationToken ct)
        {
            Asked++;
            if (Silent)
            {
                await Task.Delay(Timeout.Infinite, ct);
            }

            if (Fails is { } e)
            {
                throw e;
            }

            Assert.Equal(Name, name);
            Put.Add(addresses);
        }
    }
}
