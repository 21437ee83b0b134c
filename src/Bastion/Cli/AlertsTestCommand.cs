using System.CommandLine;
using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using Bastion.Configuration;
using Common.Agent;
using Common.Alerts.Test;
using Common.Configuration;
using Common.Hosting;

namespace Bastion.Cli;

/// <summary><c>bastion alerts test</c>, asked of the running agent.</summary>
internal static class AlertsTestCommand
{
    private static readonly TimeSpan DefaultPatience = TimeSpan.FromSeconds(90);
    private static readonly TimeSpan AnswerTimeout = TimeSpan.FromSeconds(15);

    public static Command Create()
    {
        var channel = new Option<string?>("--channel") { Description = "Only this one: sms, telegram, webhook or mail", HelpName = "NAME" };
        var json = new Option<bool>("--json") { Description = "One JSON object a line, for each change" };
        var port = new Option<int>("--port") { Description = "The agent's, on 127.0.0.1", HelpName = "PORT", DefaultValueFactory = _ => AgentOptions.DefaultAgentPort };
        var wait = new Option<int>("--wait") { Description = "Seconds to wait for the confirmations", HelpName = "SECONDS", DefaultValueFactory = _ => (int)DefaultPatience.TotalSeconds };
        var command = new Command("test", "Really sends a message by each channel and waits until each is confirmed.") { channel, json, port, wait };
        TeachingHelp.AddTo(
            command,
            """
            The running agent sends them: its secrets, its network. Exit code 0: all were confirmed;
            1: one was not. A channel that was refused before is tried again.

            Examples:
              bastion alerts test
              bastion alerts test --channel mail
            """);
        command.SetAction((parsed, ct) => RunAsync(
            parsed.GetValue(port), parsed.GetValue(channel), TimeSpan.FromSeconds(parsed.GetValue(wait)), parsed.GetValue(json), parsed.InvocationConfiguration, ct));
        return command;
    }

    private static async Task<int> RunAsync(int port, string? channel, TimeSpan patience, bool json, InvocationConfiguration io, CancellationToken ct)
    {
        if (await AskAsync(port, new AgentRequest("test-alerts") { Channel = channel }, io.Error, ct) is not { Tests: { } tests })
        {
            return ExitCode.Failed;
        }

        var progress = new TestProgress(
            async (ids, stop) => (await AskAsync(port, new AgentRequest("look-at-tests") { Ids = [.. ids] }, io.Error, stop))?.Tests, io.Output, json, TimeProvider.System);
        return await progress.FollowAsync(tests, patience, ct);
    }

    /// <summary>Null: no answer, or no; the reason is printed.</summary>
    private static async Task<AgentReply?> AskAsync(int port, AgentRequest request, TextWriter errors, CancellationToken ct)
    {
        using var late = new CancellationTokenSource(AnswerTimeout, TimeProvider.System);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(ct, late.Token);
        try
        {
            using var client = new TcpClient();
            await client.ConnectAsync(IPAddress.Loopback, port, either.Token);
            await using var stream = client.GetStream();
            await stream.WriteAsync((byte[])[.. JsonSerializer.SerializeToUtf8Bytes(request, AgentJson.Default.AgentRequest), (byte)'\n'], either.Token);
            using var reader = new StreamReader(stream);
            var reply = await reader.ReadLineAsync(either.Token) is { } line ? JsonSerializer.Deserialize(line, AgentJson.Default.AgentReply) : null;
            if (reply is { Ok: true })
            {
                return reply;
            }

            await errors.WriteLineAsync($"bastion: {reply?.Error ?? "the agent closed the line"}");
        }
        catch (Exception e) when (e is SocketException or IOException or JsonException || (e is OperationCanceledException && !ct.IsCancellationRequested))
        {
            await errors.WriteLineAsync($"bastion: the agent does not answer on 127.0.0.1:{port}; is it running? systemctl status bastion-agent");
        }

        return null;
    }
}
