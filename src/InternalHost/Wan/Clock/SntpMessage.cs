using System.Buffers.Binary;
using System.Collections.Immutable;
using Common;

namespace InternalHost.Wan.Clock;

/// <summary>SNTP packets (RFC 4330), and the vote between servers.</summary>
[PureCore]
internal static class SntpMessage
{
    public const int Length = 48;

    private const int OriginateAt = 24;
    private const int TransmitAt = 40;
    private const byte Version4Client = 4 << 3 | 3;

    /// <summary>Two servers that differ by less are talking of the same time; certificates need no better.</summary>
    private static readonly TimeSpan Agreement = TimeSpan.FromSeconds(5);

    private static readonly DateTimeOffset Epoch = new(1900, 1, 1, 0, 0, 0, TimeSpan.Zero);

    /// <summary>One era of the 32-bit seconds; era 1 begins on 7 February 2036.</summary>
    private static readonly TimeSpan Era = TimeSpan.FromSeconds(1L << 32);

    /// <summary>
    /// A request whose transmit time is a random <paramref name="nonce"/>: the server echoes it, so a forger has to guess 64 bits, and
    /// our wrong clock is not told to the world.
    /// </summary>
    public static byte[] Request(ulong nonce)
    {
        var packet = new byte[Length];
        packet[0] = Version4Client;
        BinaryPrimitives.WriteUInt64BigEndian(packet.AsSpan(TransmitAt), nonce);
        return packet;
    }

    /// <summary>The server's time, or null for anything that is not a synchronised server's answer to our request.</summary>
    /// <param name="notBefore">A day known to be past; it tells the era.</param>
    public static DateTimeOffset? TryRead(ReadOnlySpan<byte> packet, ulong nonce, DateTimeOffset notBefore)
    {
        const int server = 4, unsynchronised = 3;
        if (packet.Length < Length || (packet[0] & 7) != server || packet[0] >> 6 == unsynchronised || packet[1] is 0 or > 15
            || BinaryPrimitives.ReadUInt64BigEndian(packet[OriginateAt..]) != nonce)
        {
            return null;
        }

        var seconds = BinaryPrimitives.ReadUInt32BigEndian(packet[TransmitAt..]);
        var fraction = BinaryPrimitives.ReadUInt32BigEndian(packet[(TransmitAt + 4)..]);
        if (seconds == 0 && fraction == 0)
        {
            return null;
        }

        var time = Epoch + TimeSpan.FromSeconds(seconds) + TimeSpan.FromTicks((long)(fraction * (double)TimeSpan.TicksPerSecond / (1L << 32)));

        // A server may be some years wrong and still be seen as wrong, not as 136 years ahead: half an era of room each way.
        while (time < notBefore - (Era / 2))
        {
            time += Era;
        }

        return time;
    }

    /// <summary>The middle of the first two answers that agree; null while no two do.</summary>
    /// <param name="answers">One from each server, all moved to the same moment.</param>
    public static DateTimeOffset? Vote(ImmutableArray<DateTimeOffset> answers)
    {
        for (var i = 1; i < answers.Length; i++)
        {
            for (var j = 0; j < i; j++)
            {
                if ((answers[i] - answers[j]).Duration() <= Agreement)
                {
                    return answers[j] + ((answers[i] - answers[j]) / 2);
                }
            }
        }

        return null;
    }
}
