using System.CommandLine;
using InternalHost.Cli;
using InternalHost.Control;
using InternalHost.Tests.Configuration;
using InternalHost.Tests.Control;
using Microsoft.Extensions.Logging.Abstractions;
using Testing;

namespace InternalHost.Tests.Cli;

public sealed class StatusWatchTests : IDisposable
{
    private readonly SiteFolder _folder = new();
    private readonly StringWriter _output = new();
    private readonly StringWriter _errors = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Without_a_terminal_a_line_for_each_change()
    {
        await WatchAsync(json: false, terminal: false, Reports.Calm, Reports.Calm, Reports.Serving, Reports.Serving, Reports.Serving);

        Assert.Equal([$"02:14:00 {StatusText.OneLine(Reports.Calm)}", $"02:14:00 {StatusText.OneLine(Reports.Serving)}"], _output.ToString().TrimEnd('\n').Split('\n'));
    }

    [Fact]
    public async Task On_a_terminal_the_whole_is_redrawn()
    {
        await WatchAsync(json: false, terminal: true, Reports.Calm, Reports.Serving);

        var screens = _output.ToString().Split("\u001b[H\u001b[2J\u001b[3J", StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal([StatusText.Render(Reports.Calm), StatusText.Render(Reports.Serving)], screens);
    }

    [Fact]
    public async Task As_json_an_object_each_time()
    {
        await WatchAsync(json: true, terminal: true, Reports.Calm, Reports.Calm);

        Assert.Equal([StatusCommand.Json(Reports.Calm), StatusCommand.Json(Reports.Calm)], _output.ToString().TrimEnd('\n').Split('\n'));
    }

    /// <summary>Plays the reports one after the other, then interrupts.</summary>
    private async Task WatchAsync(bool json, bool terminal, params StatusReport[] reports)
    {
        using var stop = new CancellationTokenSource();
        var handler = new Playback(reports, stop);
        using var server = new ControlServer(_folder.At("run/control.sock"), handler, TimeProvider.System, NullLogger<ControlServer>.Instance);
        await server.StartAsync(CancellationToken.None);
        var time = new FakeTime();
        var question = new DaemonQuestion(_folder.Write("a.yaml", $"runtime_directory: {_folder.At("run")}\n"), new InvocationConfiguration { Output = _output, Error = _errors });

        var watch = new StatusWatch(question, _output, json, terminal, time).RunAsync(stop.Token);
        while (await Task.WhenAny(watch, Task.Delay(5)) != watch)
        {
            time.Advance(TimeSpan.FromSeconds(1));
        }

        Assert.Equal(0, await watch);
        await server.StopAsync(CancellationToken.None);
    }

    private sealed class Playback(StatusReport[] reports, CancellationTokenSource stop) : IControlHandler
    {
        private int _next;

        public Task<ControlReply> HandleAsync(ControlRequest request, CancellationToken ct)
        {
            if (_next < reports.Length)
            {
                return Task.FromResult(new ControlReply(Ok: true, Status: reports[_next++]));
            }

            stop.Cancel();
            return Task.FromResult(ControlReply.Failed("over"));
        }
    }
}
