using System.Net;
using System.Net.Sockets;
using InternalHost.Configuration;

namespace Lab.Demo;

/// <summary>Loopback ports that the VM of this run uses on this machine's 127.0.0.1: the site's block, and the agent's.</summary>
internal sealed record DemoPorts(int FirstForward, int Agent)
{
    /// <summary>49022 and, since 443 needs root, a second one above 1024.</summary>
    public static readonly IReadOnlyList<int> Bastion = [49022, 44443];

    private const int Lowest = 20_000;

    // Below the ports that the kernel gives to clients (ip_local_port_range).
    private const int Highest = 32_000;

    public static DemoPorts Find()
    {
        for (var attempt = 0; attempt < 100; attempt++)
        {
            var first = Random.Shared.Next(Lowest, Highest);
            if (Enumerable.Range(first, BastionOptions.ForwardPortCount + 1).All(IsFree))
            {
                return new DemoPorts(first, first + BastionOptions.ForwardPortCount);
            }
        }

        throw new MissingException($"no {BastionOptions.ForwardPortCount + 1} free ports in a row were found on 127.0.0.1");
    }

    private static bool IsFree(int port)
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            socket.Bind(new IPEndPoint(IPAddress.Loopback, port));
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }
}
