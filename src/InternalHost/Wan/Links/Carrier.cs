using System.Net.Sockets;

namespace InternalHost.Wan.Links;

/// <summary>Whether an interface has a living wire.</summary>
internal interface ICarrier
{
    /// <summary>Null: cannot be told.</summary>
    bool? IsUp(string interfaceName);
}

/// <summary>As the kernel answers by netlink, all of one moment; where that cannot be had, as <paramref name="fallback"/> says.</summary>
internal sealed class KernelCarrier(ICarrier fallback) : ICarrier
{
    private const int NoSuchDevice = 19;   // ENODEV: unplugged, or its PPPoE session has ended

    /// <summary>One link with all its statistics and a wireless driver's attributes.</summary>
    private const int AnswerLimit = 32 * 1024;

    private uint _sequence;

    public bool? IsUp(string interfaceName) => Ask(interfaceName) switch
    {
        { Error: 0 } link => link.HasCarrier,
        { Error: NoSuchDevice } => false,
        _ => fallback.IsUp(interfaceName),
    };

    private LinkAnswer? Ask(string interfaceName)
    {
        try
        {
            using var socket = NetlinkSocket.ToAsk();
            var sequence = Interlocked.Increment(ref _sequence);
            socket.Send(LinkMessage.Query(sequence, interfaceName));
            var buffer = new byte[AnswerLimit];
            var length = socket.Receive(buffer);
            return LinkMessage.TryParse(buffer.AsSpan(0, length), sequence, out var answer) ? answer : null;
        }
        catch (SocketException)
        {
            return null;
        }
    }
}

/// <summary>
/// From /sys/class/net. The operational state (RFC 2863) decides; drivers that do not keep it say "unknown", and then the carrier
/// flag does. An interface that is gone (a PPPoE session ended) has none.
/// </summary>
internal sealed class SysfsCarrier(string root = "/sys/class/net") : ICarrier
{
    public bool? IsUp(string interfaceName)
    {
        var folder = Path.Combine(root, interfaceName);
        if (!Directory.Exists(root))
        {
            return null;
        }

        return Read(Path.Combine(folder, "operstate")) switch
        {
            "up" => true,
            null or "down" or "lowerlayerdown" or "notpresent" or "dormant" => false,
            // An interface that is administratively down answers a read of its carrier with an error.
            _ => Read(Path.Combine(folder, "carrier")) == "1",
        };
    }

    private static string? Read(string file)
    {
        try
        {
            return File.ReadAllText(file).Trim();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
