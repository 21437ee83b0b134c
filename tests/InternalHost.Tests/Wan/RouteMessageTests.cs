using System.Net;
using InternalHost.Wan.Links;

namespace InternalHost.Tests.Wan;

/// <summary>Byte order is the machine's; these samples are of little-endian ones (x86-64, arm64), as recorded from a kernel 6.18.</summary>
public class RouteMessageTests
{
    /// <summary>To 9.9.9.9 by interface 3, source chosen: there is a default route by 10.1.0.1.</summary>
    private static readonly byte[] Found = Message(24, 1,
        "02 20 00 00 fe 03 00 01 00 20 00 00" + "08 00 0f 00 fe 00 00 00" + "08 00 07 00 0a 01 00 02"
        + "08 00 05 00 0a 01 00 01" + "08 00 04 00 03 00 00 00");

    /// <summary>EHOSTUNREACH, with the query's header behind it.</summary>
    private static readonly byte[] NoRoute = Message(2, 1, "8f ff ff ff" + "2c 00 00 00 1a 00 01 00 01 00 00 00 00 00 00 00");

    [Fact]
    public void Query_names_target_source_and_interface()
    {
        var query = RouteMessage.Query(7, IPAddress.Parse("9.9.9.9"), IPAddress.Parse("10.1.0.2"), 3, fibMatch: true);

        Assert.Equal(
            "34000000 1A00 0100 07000000 00000000 02202000 00000000 00200000 08000100 09090909 08000200 0A010002 08000400 03000000".Replace(" ", "", StringComparison.Ordinal),
            Convert.ToHexString(query));
    }

    [Fact]
    public void Query_for_ipv6_has_long_addresses()
    {
        var query = RouteMessage.Query(7, IPAddress.Parse("2001:db8::1"), null, 0, fibMatch: false);

        Assert.Equal(16 + 12 + 20, query.Length);
        Assert.Equal((10, 128, 0), (query[16], query[17], query[18]));
    }

    [Fact]
    public void Route_is_read()
    {
        Assert.True(RouteMessage.TryParse(Found, 1, out var answer));

        Assert.Equal(new RouteAnswer(0, 3, IPAddress.Parse("10.1.0.2"), IPAddress.Parse("10.1.0.1")), answer);
    }

    [Fact]
    public void Refusal_is_read_as_its_errno()
    {
        Assert.True(RouteMessage.TryParse(NoRoute, 1, out var answer));

        Assert.Equal(113, answer.Error);
    }

    [Fact]
    public void Answers_to_other_questions_are_passed_over()
    {
        Assert.False(RouteMessage.TryParse(Found, 2, out _));
        Assert.True(RouteMessage.TryParse([.. Message(24, 9, "02 20 00 00 fe 03 00 01 00 20 00 00"), .. NoRoute], 1, out var answer));
        Assert.Equal(113, answer.Error);
    }

    [Theory]
    [InlineData("")]
    [InlineData("10000000 1800")]
    [InlineData("00000000 1800 0000 01000000 00000000")]
    [InlineData("FFFFFFFF 1800 0000 01000000 00000000")]
    [InlineData("10000000 1800 0000 01000000 00000000")]
    [InlineData("14000000 0200 0000 01000000 00000000 00000000")]
    public void Broken_messages_are_refused(string hex) =>
        Assert.False(RouteMessage.TryParse(Convert.FromHexString(hex.Replace(" ", "", StringComparison.Ordinal)), 1, out _));

    [Fact]
    public void Any_bytes_are_survived()
    {
        var random = new Random(42);
        for (var i = 0; i < 200_000; i++)
        {
            var message = (i % 2 == 0 ? Found : NoRoute).ToArray();
            for (var n = random.Next(1, 6); n > 0; n--)
            {
                message[random.Next(message.Length)] = (byte)random.Next(256);
            }

            _ = RouteMessage.TryParse(message.AsSpan(0, random.Next(message.Length + 1)), 1, out var answer);
            Assert.True(answer.Error >= 0);
        }
    }

    private static byte[] Message(byte type, byte sequence, string body)
    {
        var bytes = Convert.FromHexString(body.Replace(" ", "", StringComparison.Ordinal));
        return [(byte)(16 + bytes.Length), 0, 0, 0, type, 0, 0, 0, sequence, 0, 0, 0, 0, 0, 0, 0, .. bytes];
    }
}
