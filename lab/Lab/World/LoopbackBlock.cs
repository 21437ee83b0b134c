using System.Net;
using System.Net.Sockets;

namespace Lab.World;

/// <summary>
/// 256 loopback addresses, 127.x.y.0-255, that no other world on this machine uses at this time: several worlds run side by side.
/// </summary>
public sealed class LoopbackBlock : IDisposable
{
    // Whoever listens here owns the block; the kernel gives it back when the owner dies.
    private const int OwnerHost = 254;
    private const int OwnerPort = 24747;

    private readonly Socket _owner;
    private readonly byte _x;
    private readonly byte _y;

    private LoopbackBlock(Socket owner, byte x, byte y)
    {
        _owner = owner;
        _x = x;
        _y = y;
    }

    /// <summary>Source address of what leaves by the primary.</summary>
    public IPAddress Primary => Address(1);

    /// <summary>Source address of what leaves by the backup.</summary>
    public IPAddress Backup => Address(2);

    public static LoopbackBlock Take()
    {
        for (var attempt = 0; attempt < 1000; attempt++)
        {
            // 127.0 and 127.1 are used by hand on many machines.
            var x = (byte)Random.Shared.Next(2, 255);
            var y = (byte)Random.Shared.Next(0, 256);
            var owner = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            try
            {
                owner.Bind(new IPEndPoint(new IPAddress([127, x, y, OwnerHost]), OwnerPort));
                owner.Listen(1);
                return new LoopbackBlock(owner, x, y);
            }
            catch (SocketException)
            {
                owner.Dispose();
            }
        }

        throw new InvalidOperationException("no free block of loopback addresses was found");
    }

    public IPAddress Address(byte host) => new([127, _x, _y, host]);

    public void Dispose() => _owner.Dispose();

    public override string ToString() => $"127.{_x}.{_y}.0/24";
}
