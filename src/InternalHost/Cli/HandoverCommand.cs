using Common.Hosting;
using InternalHost.Tunnel;

namespace InternalHost.Cli;

/// <summary>
/// <c>internalhost handover SOCKET</c>: ssh's ProxyCommand. Takes the connection that the daemon has made, bound to its uplink, and
/// passes it to ssh on standard output (ssh_config(5), ProxyUseFdpass).
/// </summary>
internal static class HandoverCommand
{
    private const int StandardOutput = 1;

    public static int Run(string socketPath)
    {
        try
        {
            FdPassing.Send(StandardOutput, FdPassing.Receive(FdPassing.Connect(socketPath)));
            return ExitCode.Good;
        }
        catch (IOException e)
        {
            Console.Error.WriteLine($"internalhost handover: {e.Message}");
            return ExitCode.Failed;
        }
    }
}
