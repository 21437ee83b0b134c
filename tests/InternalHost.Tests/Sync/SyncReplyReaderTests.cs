using System.Text;
using InternalHost.Sync;
using InternalHost.Tunnel;

namespace InternalHost.Tests.Sync;

public sealed class SyncReplyReaderTests
{
    [Theory]
    [InlineData("""{"ok":true,"number":8}""", true, 8L, null)]
    [InlineData("""{"ok":true}""", true, 7L, null)]
    [InlineData("""{"ok":true,"number":7,"of_the_future":[1]}""", true, 7L, null)]
    [InlineData("""{"ok":false,"refusal":"old","number":900}""", false, 900L, SyncFailure.Old)]
    [InlineData("""{"ok":false,"refusal":"not-signed","error":"no"}""", false, null, SyncFailure.NotSigned)]
    [InlineData("""{"ok":false,"refusal":"invalid","error":"no"}""", false, null, SyncFailure.Invalid)]
    [InlineData("""{"ok":false,"refusal":"broken"}""", false, null, SyncFailure.Broken)]
    [InlineData("""{"ok":false,"refusal":"format","formats":[2]}""", false, null, SyncFailure.Format)]
    [InlineData("""{"ok":false,"refusal":"of-the-future"}""", false, null, SyncFailure.Failed)]
    [InlineData("""{"ok":false}""", false, null, SyncFailure.Failed)]
    [InlineData("""{"ok":tr""", false, null, SyncFailure.Garbled)]
    [InlineData("Welcome to Debian!", false, null, SyncFailure.Garbled)]
    [InlineData("null", false, null, SyncFailure.Garbled)]
    [InlineData("[]", false, null, SyncFailure.Garbled)]
    [InlineData("", false, null, SyncFailure.Garbled)]
    internal void Answer_means_this(string line, bool accepted, long? inForce, SyncFailure? failure)
    {
        var answer = SyncReplyReader.Judge(line, 7);

        Assert.Equal((accepted, inForce, failure), (answer.Accepted, answer.InForce, answer.Problem?.Failure));
    }

    [Fact]
    public void Words_from_there_harm_no_terminal_and_are_short()
    {
        var answer = SyncReplyReader.Judge($$"""{"ok":false,"refusal":"invalid","error":"\u001b[31mred\n{{new string('x', 3000)}}"}""", 7);

        Assert.DoesNotContain(answer.Problem!.Detail, char.IsControl);
        Assert.InRange(answer.Problem.Detail.Length, 10, 200);
    }

    [Fact]
    public void No_bytes_break_it()
    {
        var random = new Random(4);
        const string Good = """{"ok":false,"refusal":"old","number":900,"error":"x","formats":[1],"version":"1"}""";
        for (var i = 0; i < 5000; i++)
        {
            var bytes = Encoding.UTF8.GetBytes(Good);
            for (var n = random.Next(1, 6); n > 0; n--)
            {
                bytes[random.Next(bytes.Length)] = (byte)random.Next(256);
            }

            var answer = SyncReplyReader.Judge(Encoding.UTF8.GetString(bytes, 0, random.Next(bytes.Length)), 7);

            Assert.True(answer.Accepted || answer.Problem is not null);
        }
    }

    [Theory]
    [InlineData("root@bastion: Permission denied (publickey).", SshPhase.Authenticating, SyncFailure.Denied)]
    [InlineData("Host key verification failed.", SshPhase.KeyExchange, SyncFailure.HostKeyChanged)]
    [InlineData("Connection closed by UNKNOWN port 65535", SshPhase.KeyExchange, SyncFailure.Unreachable)]
    [InlineData("sh: 1: bastion: not found", SshPhase.Authenticated, SyncFailure.NoAnswer)]
    internal void Silence_is_explained_by_ssh(string line, SshPhase phase, SyncFailure failure) =>
        Assert.Equal(failure, SyncReplyReader.Judge([line], 255, phase).Problem!.Failure);
}
