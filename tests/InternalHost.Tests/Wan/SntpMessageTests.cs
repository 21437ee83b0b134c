using System.Buffers.Binary;
using InternalHost.Wan.Clock;

namespace InternalHost.Tests.Wan;

public sealed class SntpMessageTests
{
    private const ulong Nonce = 0x0123_4567_89ab_cdef;
    private static readonly DateTimeOffset Build = new(2026, 11, 21, 0, 0, 0, TimeSpan.Zero);

    // RFC 4330: 2026-12-01 00:00:00.5 is 4005072000.5 s after 1900.
    private static byte[] Reply(uint seconds = 4_005_072_000, uint fraction = 0x8000_0000)
    {
        var packet = new byte[48];
        packet[0] = 4 << 3 | 4;
        packet[1] = 2;
        BinaryPrimitives.WriteUInt64BigEndian(packet.AsSpan(24), Nonce);
        BinaryPrimitives.WriteUInt32BigEndian(packet.AsSpan(40), seconds);
        BinaryPrimitives.WriteUInt32BigEndian(packet.AsSpan(44), fraction);
        return packet;
    }

    private static byte[] With(int at, byte value)
    {
        var packet = Reply();
        packet[at] = value;
        return packet;
    }

    [Fact]
    public void Request_says_nothing_but_its_nonce()
    {
        var packet = SntpMessage.Request(Nonce);

        Assert.Equal(0x23, packet[0]);
        Assert.Equal(Nonce, BinaryPrimitives.ReadUInt64BigEndian(packet.AsSpan(40)));
        Assert.All(packet[1..40], b => Assert.Equal(0, b));
    }

    [Fact]
    public void Reply_is_read_to_the_fraction()
    {
        Assert.Equal(new DateTimeOffset(2026, 12, 1, 0, 0, 0, 500, TimeSpan.Zero), SntpMessage.TryRead(Reply(), Nonce, Build));
    }

    [Fact]
    public void Seconds_after_2036_are_of_the_next_era()
    {
        Assert.Equal(2038, SntpMessage.TryRead(Reply(seconds: 63_000_000), Nonce, Build)!.Value.Year);
    }

    [Fact]
    public void Clock_wrong_by_years_is_seen_as_wrong_by_years()
    {
        Assert.Equal(1995, SntpMessage.TryRead(Reply(seconds: 3_000_000_000), Nonce, Build)!.Value.Year);
    }

    public static TheoryData<string, byte[]> Untrue => new()
    {
        { "short", Reply()[..47] },
        { "a client's", With(0, 4 << 3 | 3) },
        { "clock not set", With(0, 0xc0 | 4 << 3 | 4) },
        { "kiss of death", With(1, 0) },
        { "stratum 16", With(1, 16) },
        { "another nonce", With(31, 0) },
        { "no time", Reply(0, 0) },
    };

    [Theory]
    [MemberData(nameof(Untrue))]
    public void Reply_that_is_no_answer_has_no_time(string what, byte[] packet)
    {
        Assert.True(SntpMessage.TryRead(packet, Nonce, Build) is null, what);
    }

    [Fact]
    public void Two_of_three_outvote_a_liar()
    {
        var now = Build.AddDays(3);

        Assert.Equal(now.AddSeconds(1), SntpMessage.Vote([now.AddYears(-1), now, now.AddSeconds(2)]));
        Assert.Null(SntpMessage.Vote([now, now.AddSeconds(6), now.AddYears(1)]));
        Assert.Null(SntpMessage.Vote([now]));
        Assert.Null(SntpMessage.Vote([]));
    }
}
