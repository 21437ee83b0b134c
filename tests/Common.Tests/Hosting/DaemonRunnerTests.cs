using System.Net.Sockets;
using Common.Configuration;
using Common.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Testing;

namespace Common.Tests.Hosting;

public sealed class DaemonRunnerTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory();
    private readonly StringWriter _errors = new();

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    public async Task Host_that_stops_by_itself_is_good()
    {
        Assert.Equal(ExitCode.Good, await Run(async (lifetime, _) =>
        {
            await Task.Yield();
            lifetime.StopApplication();
        }));
        Assert.Empty(_errors.ToString());
    }

    [Fact]
    public async Task Faulted_service_is_a_fault_although_the_host_stopped_well()
    {
        var code = await Run(async (_, _) =>
        {
            await Task.Yield();
            throw new InvalidDataException("broken\nin two lines");
        });

        Assert.Equal(ExitCode.Fault, code);
        var line = Assert.Single(_errors.ToString().TrimEnd().Split('\n'));
        Assert.StartsWith("test: ended by a fault: InvalidDataException: broken in two lines", line, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Service_that_faults_while_stopping_is_a_fault()
    {
        using var stop = new CancellationTokenSource();
        var code = await Run(
            async (_, token) =>
            {
                await stop.CancelAsync();
                await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                throw new InvalidDataException("late");
            },
            ct: stop.Token);

        Assert.Equal(ExitCode.Fault, code);
    }

    [Fact]
    public async Task Cancellation_stops_gracefully()
    {
        using var stop = new CancellationTokenSource();
        var ended = false;

        var code = await Run(
            async (_, token) =>
            {
                await stop.CancelAsync();
                await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                ended = true;
            },
            ct: stop.Token);

        Assert.Equal(ExitCode.Good, code);
        Assert.True(ended);
    }

    [Fact]
    public async Task Configuration_mistakes_are_one_line_each_and_bad_input()
    {
        var code = await DaemonRunner.RunAsync(
            () => throw new ConfigurationException([new("a", "1", "is bad", 1), new("b", "2", "is worse", 0)]), Manners());

        Assert.Equal(ExitCode.BadInput, code);
        Assert.Equal("a\t1\tis bad (line 1)\nb\t2\tis worse\n", _errors.ToString());
    }

    [Fact]
    public async Task Refusal_to_start_is_one_line_with_its_own_code()
    {
        var code = await DaemonRunner.RunAsync(() => throw new StartRefusedException("in use: stop it first", ExitCode.CannotRun), Manners());

        Assert.Equal(ExitCode.CannotRun, code);
        Assert.Equal("test: in use: stop it first\n", _errors.ToString());
    }

    [Fact]
    public async Task Fault_at_start_is_one_line()
    {
        var code = await DaemonRunner.RunAsync(() => Build(new Worker((_, _) => Task.CompletedTask) { AtStart = new IOException("no disk") }), Manners());

        Assert.Equal(ExitCode.Fault, code);
        Assert.Contains("IOException: no disk", Assert.Single(_errors.ToString().TrimEnd().Split('\n')), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Service_manager_hears_ready_watchdog_while_healthy_and_stopping()
    {
        var path = Path.Combine(_folder.FullName, "notify");
        using var manager = SdNotifyTests.Listen(path);
        var time = new FakeTime();
        using var notify = SdNotify.From(SdNotifyTests.Variables(path, "3000000"), 1, time);
        using var stop = new CancellationTokenSource();
        using var asked = new SemaphoreSlim(0);
        var healthy = true;
        var run = DaemonRunner.RunAsync(
            () => Build(new Worker((_, token) => Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, token))),
            Manners() with { Notify = notify, Time = time, Healthy = () => { asked.Release(); return healthy; } },
            stop.Token);

        Assert.Equal("READY=1\nSTATUS=running", await Next(manager));
        Assert.Equal("WATCHDOG=1", await Next(manager));
        await asked.WaitAsync();
        healthy = false;
        // The timer is armed on another thread: time goes on until it has fired.
        while (!await asked.WaitAsync(TimeSpan.FromMilliseconds(5)))
        {
            time.Advance(TimeSpan.FromSeconds(1));
        }

        await stop.CancelAsync();
        Assert.Equal(ExitCode.Good, await run);
        Assert.Equal("STOPPING=1", await Next(manager));
    }

    private static Task<string> Next(Socket manager) => Task.Run(() => SdNotifyTests.Receive(manager));

    private Task<int> Run(Func<IHostApplicationLifetime, CancellationToken, Task> work, CancellationToken ct = default) =>
        DaemonRunner.RunAsync(() => Build(new Worker(work)), Manners(), ct);

    private DaemonManners Manners() => new("test") { Errors = _errors, Notify = SdNotify.From(_ => null, 1, TimeProvider.System) };

    private static IHost Build(Worker worker)
    {
        var builder = new HostApplicationBuilder(new HostApplicationBuilderSettings { DisableDefaults = true });
        builder.Services.AddSingleton<IHostedService>(services =>
        {
            worker.Lifetime = services.GetRequiredService<IHostApplicationLifetime>();
            return worker;
        });
        return builder.Build();
    }

    private sealed class Worker(Func<IHostApplicationLifetime, CancellationToken, Task> work) : BackgroundService
    {
        public IHostApplicationLifetime? Lifetime { get; set; }

        public Exception? AtStart { get; init; }

        public override Task StartAsync(CancellationToken cancellationToken) => AtStart is null ? base.StartAsync(cancellationToken) : throw AtStart;

        protected override Task ExecuteAsync(CancellationToken stoppingToken) => work(Lifetime!, stoppingToken);
    }
}
