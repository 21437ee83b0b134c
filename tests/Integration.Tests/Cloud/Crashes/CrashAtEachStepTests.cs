using Common.Journal;
using InternalHost.Cloud;
using InternalHost.Cloud.DigitalOcean;
using InternalHost.Cloud.Ec2;
using InternalHost.Failover;
using InternalHost.Running;
using InternalHost.Wan.Detection;
using Lab.Clouds;
using Microsoft.Extensions.Logging.Abstractions;

namespace Integration.Tests.Cloud.Crashes;

/// <summary>
/// An outage from start to stop, in which the program is killed at one request to the provider, at each in turn, before it leaves or with
/// its answer lost, and comes back with its journal. Machines are counted at the provider.
/// </summary>
public sealed class CrashAtEachStepTests : IDisposable
{
    private const string Site = "home";
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(180);

    private readonly string _folder = Directory.CreateTempSubdirectory("crash-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public Task Ec2_has_one_machine_and_it_is_stopped_in_the_end(bool carriedOut) => AtEachStepAsync(n => Ec2Async(n, carriedOut));

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public Task DigitalOcean_has_one_machine_at_most_and_none_in_the_end(bool carriedOut) => AtEachStepAsync(n => DropletAsync(n, carriedOut));

    /// <summary>Until an outage needs fewer requests than that.</summary>
    private static async Task AtEachStepAsync(Func<int, Task<bool>> play)
    {
        const int atOnce = 4;
        var killed = 0;
        for (var n = 1; ; n += atOnce)
        {
            var kills = await Task.WhenAll(Enumerable.Range(n, atOnce).Select(play));
            killed += kills.Count(k => k);
            if (!kills.All(k => k))
            {
                break;
            }
        }

        Assert.InRange(killed, 6, 1000);   // start and stop alone are some
    }

    private async Task<bool> Ec2Async(int n, bool carriedOut)
    {
        await using var ec2 = await Ec2StandIn.StartAsync();
        var id = ec2.Make(Site);
        var credentials = Path.Combine(_folder, $"aws-{Guid.NewGuid():N}");
        await File.WriteAllTextAsync(credentials, $"[default]\naws_access_key_id = {Ec2StandIn.KeyId}\naws_secret_access_key = {Ec2StandIn.Secret}\n");

        var killed = await PlayAsync(n, carriedOut, handler =>
        {
            var transport = new Ec2Transport(Ec2Endpoint.Of("eu-central-1", ec2.Url), credentials, handler);
            return (new Ec2Cloud(new Ec2Client(transport), Site, ["t3.nano"], TimeProvider.System, NullLogger<Ec2Cloud>.Instance), transport);
        }, () => ec2.Machine(id).State == "stopped");

        Assert.Equal(("stopped", 1, 1), (ec2.Machine(id).State, ec2.Made, ec2.MostRunning));
        return killed;
    }

    private async Task<bool> DropletAsync(int n, bool carriedOut)
    {
        await using var standIn = await DigitalOceanStandIn.StartAsync();
        standIn.AddSnapshot(DropletCloud.SnapshotsOf(Site) + "1", "fra1");
        standIn.Behaviour = new DropletBehaviour { ListLag = TimeSpan.FromMilliseconds(300) };
        var token = Path.Combine(_folder, $"token-{Guid.NewGuid():N}");
        await File.WriteAllTextAsync(token, DigitalOceanStandIn.Token);

        var killed = await PlayAsync(n, carriedOut, handler =>
        {
            var http = new DigitalOceanHttp(standIn.BaseUrl, token, handler, TimeProvider.System);
            var cloud = new DropletCloud(new DigitalOceanClient(http), Site, "fra1", ["s-1vcpu-1gb"], TimeProvider.System, NullLogger<DropletCloud>.Instance, mayHaveAsked: true) { ListLag = TimeSpan.FromSeconds(2) };
            return (cloud, http);
        }, () => standIn.Droplets.IsEmpty);

        Assert.Empty(standIn.Droplets);
        Assert.Equal(1, standIn.MostAtOnce);
        return killed;
    }

    /// <param name="atRest">Nothing runs at the provider. What a list does not show yet is found by the next look, as the owner's own start would be.</param>
    /// <returns>False: the outage was over before the n-th request.</returns>
    private static async Task<bool> PlayAsync(int n, bool carriedOut, Func<HttpMessageHandler, (ICloud Cloud, IDisposable Http)> connect, Func<bool> atRest)
    {
        using var database = StateFile.OpenInMemory();
        var guillotine = new KilledAt(n, carriedOut, new SocketsHttpHandler());
        var (cloud, http) = connect(guillotine);
        var life = await Life.BeginAsync(database, cloud);
        var reborn = false;
        try
        {
            await ReachAsync(Usable.No, IsServing);
            await ReachAsync(Usable.Yes, state => IsOver(state) && atRest());
            Assert.Null(life.State.Orders.ClosedUntil);   // what we stopped ourselves is nobody's order
            return guillotine.Killed.IsCompleted;
        }
        finally
        {
            await life.DisposeAsync();
            http.Dispose();
        }

        async Task ReachAsync(Usable usable, Func<FailoverState, bool> reached)
        {
            using var limit = new CancellationTokenSource(Patience);
            life.Primary(usable);
            while (!reached(life.State))
            {
                if (guillotine.Killed.IsCompleted && !reborn)
                {
                    await life.DisposeAsync();
                    http.Dispose();
                    reborn = true;
                    (cloud, http) = connect(new SocketsHttpHandler());
                    life = await Life.BeginAsync(database, cloud);
                    life.Primary(usable);
                }

                limit.Token.ThrowIfCancellationRequested();
                await Task.Delay(20, limit.Token);
            }
        }
    }

    private static bool IsServing(FailoverState state) => state.Phase is Phase.Serving;

    private static bool IsOver(FailoverState state) => state is { Phase: Phase.Standby, Outage: null };
}
