using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;

namespace Integration.Tests.Cloud;

/// <summary>A folder and loopback addresses that no other test has.</summary>
internal sealed class OwnPlace : IDisposable
{
    private readonly int _net = RandomNumberGenerator.GetInt32(1 << 14);

    public string Folder { get; } = Directory.CreateTempSubdirectory("bh-").FullName;

    /// <summary>127.64.0.0/10, four addresses for each test.</summary>
    public IPAddress Address(int n = 0) => new([127, (byte)(64 + (_net >> 8)), (byte)_net, (byte)(10 + n)]);

    public IPEndPoint EndPoint(int port, int n = 0) => new(Address(n), port);

    /// <summary>Free on 127.0.0.1 a moment ago, and outside of the range that is given out for outgoing connections.</summary>
    public static int FreePort()
    {
        while (true)
        {
            var port = RandomNumberGenerator.GetInt32(10_000, 32_000);
            using var probe = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            try
            {
                probe.Bind(new IPEndPoint(IPAddress.Loopback, port));
                return port;
            }
            catch (SocketException)
            {
            }
        }
    }

    public string File(string name) => Path.Combine(Folder, name);

    public void Dispose() => Directory.Delete(Folder, recursive: true);
}
