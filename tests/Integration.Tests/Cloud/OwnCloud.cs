using System.Net;
using System.Text.Json;
using System.Text.Json.Nodes;
using Common.Processes;
using InternalHost.Cloud;
using InternalHost.Cloud.Local;

namespace Integration.Tests.Cloud;

/// <summary>A local cloud in this process with a key that may log in to its instance, and a client of its API.</summary>
internal sealed class OwnCloud : IAsyncDisposable
{
    public const int Port = 49022;
    public const int OtherPort = 4443;

    private readonly CancellationTokenSource _end = new();
    private readonly Task _running;

    private OwnCloud(OwnPlace place, SystemProcessLauncher launcher, Task running, CancellationTokenSource end)
    {
        (Place, _running, _end) = (place, running, end);
        Client = new(Path.Combine(place.Folder, LocalCloudServer.SocketName), TimeProvider.System);
        Cloud = new LocalCloud(Client);
        Ssh = new(launcher, place.File("me"));
    }

    public OwnPlace Place { get; }

    public LocalCloudClient Client { get; }

    public ICloud Cloud { get; }

    public OwnSsh Ssh { get; }

    public IPEndPoint Server => Place.EndPoint(Port);

    /// <summary>Fails a test that hangs; longer than anything that is waited for.</summary>
    public CancellationToken Soon { get; } = new CancellationTokenSource(TimeSpan.FromSeconds(60)).Token;

    public IReadOnlyList<ProviderLogEntry> Log => [.. ProviderLog.Read(Place.File(LocalCloudServer.LogName))];

    /// <param name="modes">Of the settings, as JSON.</param>
    /// <param name="agent">The settings' agent, as JSON.</param>
    public static async Task<OwnCloud> StartAsync(string modes = "{}", string? agent = null)
    {
        var place = new OwnPlace();
        var launcher = new SystemProcessLauncher(TimeProvider.System);
        var key = await SshKeygen.EnsurePairAsync(place.File("me"), launcher, CancellationToken.None);
        var settings = new JsonObject
        {
            ["tag"] = "test",
            ["addresses"] = new JsonArray($"{place.Address()}", $"{place.Address(1)}"),
            ["ports"] = new JsonArray(Port, OtherPort),
            ["authorized_keys"] = new JsonArray(AuthorizedKeyLine.Shell(key.Line)),
            ["modes"] = JsonNode.Parse(modes),
        };
        if (agent is not null)
        {
            settings["agent"] = JsonNode.Parse(agent);
        }

        var ready = new TaskCompletionSource();
        var end = new CancellationTokenSource();
        var server = new LocalCloudServer(place.Folder, LocalCloudSettingsReader.Read(settings.ToJsonString(), place.Folder), launcher, TimeProvider.System);
        var running = server.RunAsync(_ => ready.SetResult(), end.Token);
        await Task.WhenAny(ready.Task, running);
        if (running.IsFaulted)
        {
            await running;
        }

        return new(place, launcher, running, end);
    }

    public Task<InstanceSight> SeeAsync() => Cloud.DescribeAsync(Soon);

    public async Task<InstanceSight> UntilAsync(InstanceState state)
    {
        while (true)
        {
            if (await SeeAsync() is { } seen && seen.State == state)
            {
                return seen;
            }

            await Task.Delay(20, Soon);
        }
    }

    /// <summary>Until the log has such an entry.</summary>
    public async Task<ProviderLogEntry> LoggedAsync(string happened, int times = 1)
    {
        while (true)
        {
            if (Log.Where(e => e.Event == happened).ElementAtOrDefault(times - 1) is { } entry)
            {
                return entry;
            }

            await Task.Delay(20, Soon);
        }
    }

    public async Task StartInstanceAsync()
    {
        var before = Log.Count(e => e.Event == "booted");
        await Cloud.StartAsync(Soon);
        _ = await LoggedAsync("booted", before + 1);
    }

    public async Task StopInstanceAsync()
    {
        await Cloud.StopAsync(Soon);
        _ = await UntilAsync(InstanceState.Stopped);
    }

    public int Count(string happened) => Log.Count(e => e.Event == happened);

    public async Task EndAsync()
    {
        await _end.CancelAsync();
        await _running.WaitAsync(TimeSpan.FromSeconds(60));
    }

    public async ValueTask DisposeAsync()
    {
        await EndAsync();
        Place.Dispose();
    }
}
