using System.CommandLine;
using System.CommandLine.Parsing;
using Common.Configuration;
using InternalHost.Control;

namespace InternalHost.Cli;

/// <summary>What the operator may tell a running daemon: open, close, pause, resume, reload.</summary>
internal static class OrderCommands
{
    public static Command Open()
    {
        var span = Span("--for", "How long it stays open at least", () => ControlLine.DefaultOpen);
        return Order("open", """
            Open the way in now, whatever the lines do; it closes by itself when the time is over and nobody is logged in.
            Example: internalhost open --for 2h
            """, parsed => new ControlRequest.Open(parsed.GetValue(span)), span);
    }

    public static Command Close() => Order("close", """
        Shut the way in, and keep it shut for a while. People who are logged in may finish.
        Example: internalhost close
        """, _ => new ControlRequest.Close());

    public static Command Pause()
    {
        var span = Span("--for", "How long", null);
        var why = new Option<string>("--why") { Description = "Shown in the status until the pause ends", HelpName = "TEXT", Required = true };
        return Order("pause", """
            Act on no outage for a while, such as when you are about to pull cables yourself.
            Example: internalhost pause --for 4h --why "new router"
            """, parsed => new ControlRequest.Pause(parsed.GetValue(span), parsed.GetValue(why)!), span, why);
    }

    public static Command Resume() => Order("resume", """
        Withdraw open, close and pause: back to acting by itself.
        Example: internalhost resume
        """, _ => new ControlRequest.Resume());

    public static Command Reload() => Order("reload", """
        Read the configuration again. Services come and go without touching connections through the others;
        a file with mistakes changes nothing and the mistakes are told.
        Example: internalhost check-config && internalhost reload
        """, _ => new ControlRequest.Reload());

    private static Command Order(string name, string description, Func<ParseResult, ControlRequest> request, params ReadOnlySpan<Option> options)
    {
        var config = CommandTree.ConfigOption();
        var command = new Command(name, description);
        foreach (var option in options)
        {
            command.Add(option);
        }

        command.Add(config);
        command.SetAction(async (parsed, ct) =>
            await new DaemonQuestion(parsed.GetValue(config)!, parsed.InvocationConfiguration).OrderAsync(request(parsed), ct));
        return command;
    }

    private static Option<TimeSpan> Span(string name, string description, Func<TimeSpan>? fallback)
    {
        var option = new Option<TimeSpan>(name)
        {
            Description = $"{description}, such as 90m or 2h",
            HelpName = "TIME",
            Required = fallback is null,
            CustomParser = Parse,
        };
        option.DefaultValueFactory = fallback is null ? null! : _ => fallback();
        return option;
    }

    private static TimeSpan Parse(ArgumentResult result)
    {
        var reading = Quantities.Duration(result.Tokens[0].Value);
        if (reading.Problem is { } problem)
        {
            result.AddError($"'{result.Tokens[0].Value}' {problem}");
        }

        return reading.Value;
    }
}
