using System.CommandLine;
using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using Bastion.Configuration;
using Bastion.DeadMan;
using Common.Agent;
using Common.Configuration;
using Common.Hosting;

namespace Bastion.Cli;

/// <summary><c>bastion hold --for 2h</c>: the VM does not switch itself off for so long.</summary>
internal static class HoldCommand
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    public static Command Create()
    {
        var span = new Option<string>("--for") { Description = "How long from now: 30m, 2h, at most 2d; 0s lifts a hold.", Required = true, HelpName = "SPAN" };
        var port = new Option<int>("--port") { Description = "The agent's, on 127.0.0.1.", DefaultValueFactory = _ => AgentOptions.DefaultAgentPort };
        var command = new Command("hold", "Keeps this VM up though nobody is logged in and no tunnel stands.") { span, port };
        command.SetAction((result, ct) => RunAsync(result.GetRequiredValue(span), result.GetValue(port), result.InvocationConfiguration, ct));
        return command;
    }

    private static async Task<int> RunAsync(string text, int port, InvocationConfiguration console, CancellationToken ct)
    {
        var reading = Quantities.DurationBetween(TimeSpan.Zero, HoldFile.Longest)(text);
        if (reading.Problem is { } problem)
        {
            console.Error.WriteLine($"--for {text}: {problem}");
            return ExitCode.BadInput;
        }

        try
        {
            var reply = await AskAsync(port, new AgentRequest("hold", reading.Value.TotalSeconds), ct);
            if (reply is not { Ok: true })
            {
                console.Error.WriteLine(reply?.Error ?? "the agent hung up");
                return ExitCode.Failed;
            }

            console.Output.WriteLine($"held for {Say(reply.HeldForSeconds)}; it switches itself off in {Say(reply.OffInSeconds)} at the earliest");
            return ExitCode.Good;
        }
        catch (Exception e) when (e is SocketException or IOException or JsonException or OperationCanceledException)
        {
            console.Error.WriteLine($"no answer on 127.0.0.1:{port} ({e.GetType().Name}): does the agent run? systemctl status bastion-agent");
            return ExitCode.CannotRun;
        }
    }

    private static string Say(double? seconds) => Quantities.Say(TimeSpan.FromSeconds(Math.Round(seconds ?? 0)));

    private static async Task<AgentReply?> AskAsync(int port, AgentRequest request, CancellationToken ct)
    {
        using var timeout = CancellationTokenSource.CreateLinkedTokenSource(ct);
        timeout.CancelAfter(Patience);
        using var tcp = new TcpClient();
        await tcp.ConnectAsync(IPAddress.Loopback, port, timeout.Token);
        await tcp.GetStream().WriteAsync((byte[])[.. JsonSerializer.SerializeToUtf8Bytes(request, AgentJson.Default.AgentRequest), (byte)'\n'], timeout.Token);
        using var reader = new StreamReader(tcp.GetStream());
        return await reader.ReadLineAsync(timeout.Token) is { } line ? JsonSerializer.Deserialize(line, AgentJson.Default.AgentReply) : null;
    }
}
