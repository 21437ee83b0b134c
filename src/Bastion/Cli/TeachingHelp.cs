using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;

namespace Bastion.Cli;

/// <summary>Help of one command with what a newcomer needs beneath it; the list of commands stays short.</summary>
internal sealed class TeachingHelp(string lesson) : SynchronousCommandLineAction
{
    private readonly HelpAction _usual = new();

    public static void AddTo(Command command, string lesson) => command.Add(new HelpOption { Action = new TeachingHelp(lesson) });

    /// <summary>As the usual one: asking for help is never a usage mistake.</summary>
    public override bool ClearsParseErrors => true;

    public override int Invoke(ParseResult parseResult)
    {
        var code = _usual.Invoke(parseResult);
        parseResult.InvocationConfiguration.Output.WriteLine(lesson);
        return code;
    }
}
