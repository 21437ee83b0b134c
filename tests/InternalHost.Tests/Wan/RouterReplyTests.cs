using System.Net;
using InternalHost.Wan.Observing;

namespace InternalHost.Tests.Wan;

public class RouterReplyTests
{
    [Theory]
    [InlineData("up", "Answered", null)]
    [InlineData("up 3", "Answered", null)]
    [InlineData("  down\t0.5  ", "Refuted", null)]
    [InlineData("down 30", "Refuted", null)]
    [InlineData("up 31", "Lost", null)]
    [InlineData("down 4000", "Lost", null)]
    [InlineData("unknown", "Lost", null)]
    [InlineData("up 3 203.0.113.7", "Answered", "203.0.113.7")]
    [InlineData("up 3 2001:db8::7", "Answered", "2001:db8::7")]
    public void Word_age_and_address_are_read(string line, string outcome, string? address)
    {
        Assert.True(RouterReply.TryParse(["", line, " "], out var reply, out var problem));

        Assert.Null(problem);
        Assert.Equal((outcome, address is null ? null : IPAddress.Parse(address)), (reply.Outcome.ToString(), reply.Address));
    }

    [Theory]
    [InlineData("", "it printed nothing")]
    [InlineData("UP", "its first word is not up, down or unknown")]
    [InlineData("link is up", "its first word is not up, down or unknown")]
    [InlineData("up soon", "its second word is not an age in seconds")]
    [InlineData("up -3", "its second word is not an age in seconds")]
    [InlineData("up NaN", "its second word is not an age in seconds")]
    [InlineData("up 1e30", "its second word is not an age in seconds")]
    [InlineData("up 3 gateway", "its third word is not an address")]
    [InlineData("up 3 203.0.113.7 more", "it printed more than three words")]
    [InlineData("up\ndown", "it printed more than one line")]
    public void Anything_else_is_told(string output, string expected)
    {
        Assert.False(RouterReply.TryParse(output.Split('\n'), out var reply, out var problem));

        Assert.Equal((expected, default), (problem, reply));
    }

    [Fact]
    public void Any_text_is_survived()
    {
        var random = new Random(7);
        const string letters = "up down unknown 0123456789.-:eE\t\u001b\u0000é";
        for (var i = 0; i < 50_000; i++)
        {
            var line = new string([.. Enumerable.Range(0, random.Next(0, 30)).Select(_ => letters[random.Next(letters.Length)])]);

            Assert.Equal(RouterReply.TryParse([line], out var reply, out var problem), problem is null);
            Assert.True(reply.Age >= TimeSpan.Zero);
        }
    }
}
