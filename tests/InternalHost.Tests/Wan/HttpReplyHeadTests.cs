using System.Text;
using InternalHost.Wan.Detection;
using InternalHost.Wan.Probes;

namespace InternalHost.Tests.Wan;

public sealed class HttpReplyHeadTests
{
    [Theory]
    [InlineData("HTTP/1.1 204 No Content\r\nDate: x\r\n\r\n", ProbeOutcome.Answered)]
    [InlineData("HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n", ProbeOutcome.Answered)]
    [InlineData("HTTP/1.0 204\r\n\r\n", ProbeOutcome.Answered)]
    [InlineData("HTTP/1.1 200 OK\r\ncontent-length:  0 \r\n\r\n", ProbeOutcome.Answered)] // a proxy's rewriting of 204
    [InlineData("HTTP/1.1 204 No Content\r\n\r\n<html>", ProbeOutcome.Refuted)]
    [InlineData("HTTP/1.1 204 No Content\r\nContent-Length: 12\r\n\r\n", ProbeOutcome.Refuted)]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: 12\r\n\r\n", ProbeOutcome.Refuted)]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\n", ProbeOutcome.Refuted)]
    [InlineData("HTTP/1.1 200 OK\r\n\r\n<", ProbeOutcome.Refuted)]
    [InlineData("HTTP/1.1 302 Found\r\nLocation: http://portal.example/\r\n\r\n", ProbeOutcome.Refuted)]
    [InlineData("HTTP/1.0 307 Temporary Redirect\r\n\r\n", ProbeOutcome.Refuted)]
    [InlineData("HTTP/1.1 511 Network Authentication Required\r\n\r\n<html>", ProbeOutcome.Refuted)]
    [InlineData("HTTP/1.1 404 Not Found\r\n\r\n", ProbeOutcome.Lost)]
    [InlineData("HTTP/1.1 429 Too Many Requests\r\n\r\n", ProbeOutcome.Lost)]
    [InlineData("HTTP/1.1 503 Service Unavailable\r\n\r\n", ProbeOutcome.Lost)]
    [InlineData("HTTP/1.1 +204 No Content\r\n\r\n", ProbeOutcome.Lost)]
    [InlineData("SSH-2.0-OpenSSH_9.2\r\n\r\n", ProbeOutcome.Lost)]
    [InlineData("\r\n\r\n", ProbeOutcome.Lost)]
    [InlineData("HTTP/1.1 204 No Content\r\nDate", null)]
    [InlineData("HTTP/1.1 302 Found\r\nLocation", null)]
    [InlineData("HTTP/1.1 200 OK\r\n\r\n", null)]
    [InlineData("", null)]
    public void Reply_that_goes_on(string received, object? expected)
    {
        Assert.Equal(expected, HttpReplyHead.Judge(Encoding.ASCII.GetBytes(received), ended: false));
    }

    [Theory]
    [InlineData("", ProbeOutcome.Lost)]
    [InlineData("HTTP/1.1 204 No Content\r\nDate", ProbeOutcome.Lost)]
    [InlineData("HTTP/1.1 302 Found\r\nLocation", ProbeOutcome.Refuted)]
    [InlineData("HTTP/1.1 200 OK\r\n\r\n", ProbeOutcome.Answered)]
    [InlineData("HTTP/1.1 200 OK\r\nX: y", ProbeOutcome.Lost)]
    public void Reply_that_ended(string received, object expected)
    {
        Assert.Equal(expected, HttpReplyHead.Judge(Encoding.ASCII.GetBytes(received), ended: true));
    }

    [Fact]
    public void Whatever_comes_is_judged_at_the_end()
    {
        var random = new Random(20260310);
        var seed = Encoding.ASCII.GetBytes("HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n");
        for (var i = 0; i < 50_000; i++)
        {
            var reply = (byte[])seed.Clone();
            for (var n = random.Next(1, 4); n > 0; n--)
            {
                reply[random.Next(reply.Length)] = (byte)random.Next(256);
            }

            Assert.NotNull(HttpReplyHead.Judge(reply.AsSpan(0, random.Next(reply.Length + 1)), ended: true));
        }
    }
}
