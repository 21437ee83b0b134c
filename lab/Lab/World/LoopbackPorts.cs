using System.Net;
using System.Net.Sockets;

namespace Lab.World;

internal static class LoopbackPorts
{
    /// <summary>A TCP listener and a UDP socket on the same port; a free one where <paramref name="at"/> names port 0.</summary>
    public static (Socket Udp, TcpListener Tcp) Both(IPEndPoint at)
    {
        const int tries = 50;   // the UDP side of a free TCP port may be taken
        for (var n = 1; ; n++)
        {
            var tcp = new TcpListener(at);
            var udp = new Socket(at.AddressFamily, SocketType.Dgram, ProtocolType.Udp);
            try
            {
                tcp.Start();
                udp.Bind(tcp.LocalEndpoint);
                return (udp, tcp);
            }
            catch (SocketException) when (at.Port == 0 && n < tries)
            {
                tcp.Stop();
                udp.Dispose();
            }
            catch
            {
                tcp.Stop();
                udp.Dispose();
                throw;
            }
        }
    }
}
