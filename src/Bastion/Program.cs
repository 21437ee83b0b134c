using System.CommandLine;
using System.CommandLine.Invocation;
using System.Text;
using Bastion.Agent;
using Bastion.Cli;
using Common.Hosting;

Console.OutputEncoding = Encoding.UTF8;
if (args is ["--version"])
{
    Console.WriteLine($"bastion {Machine.Version}");
    return ExitCode.Good;
}

var parsed = BastionCommand.Create().Parse(args);

// Signals are the daemon's own: the library would end it with 143 two seconds after SIGTERM, in the middle of the last deliveries.
var code = await parsed.InvokeAsync(new InvocationConfiguration { ProcessTerminationTimeout = null });

// The library answers 1 to bad usage; our contract says 2.
return parsed.Errors.Count > 0 && parsed.Action is ParseErrorAction ? ExitCode.BadInput : code;
