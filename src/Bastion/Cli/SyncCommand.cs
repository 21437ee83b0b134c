using System.CommandLine;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using Bastion.Agent;
using Bastion.People;
using Common.Hosting;
using Common.Sync;

namespace Bastion.Cli;

/// <summary><c>bastion sync</c>: the forced command of the account by which sites push their bundles. It hands over; what it may not, root does.</summary>
internal static class SyncCommand
{
    public const string DefaultSocket = "/run/bastion-bundle.sock";
    private const int LongestReply = 64 * 1024;

    /// <summary>For all of it: the far end counts on an answer, or on none.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    public static Command Create()
    {
        var socket = new Option<string>("--socket") { Description = "Where root's part listens.", DefaultValueFactory = _ => DefaultSocket, HelpName = "PATH" };
        var command = new Command("sync", "Takes a site's signed bundle (standard input); run by sshd for account bastion-sync.") { socket };
        command.SetAction(async (result, ct) =>
        {
            var reply = await AskAsync(result.GetValue(socket)!, ct);
            await using var output = Console.OpenStandardOutput();
            await output.WriteAsync(Encoding.UTF8.GetBytes(reply.TrimEnd('\n') + "\n"), ct);
            return Read(reply) is { Ok: true } ? ExitCode.Good : ExitCode.Failed;
        });
        return command;
    }

    private static async Task<string> AskAsync(string path, CancellationToken ct)
    {
        using var timeout = new CancellationTokenSource(Patience, TimeProvider.System);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(ct, timeout.Token);
        try
        {
            await using var input = Console.OpenStandardInput();
            var bundle = await BundleStream.ReadAsync(input, both.Token);
            using var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
            await socket.ConnectAsync(new UnixDomainSocketEndPoint(path), both.Token);
            await using var stream = new NetworkStream(socket);
            await stream.WriteAsync(bundle, both.Token);
            socket.Shutdown(SocketShutdown.Send);
            var answer = new byte[LongestReply];
            var length = await stream.ReadAtLeastAsync(answer, answer.Length, throwOnEndOfStream: false, both.Token);
            return Read(Encoding.UTF8.GetString(answer, 0, length)) is not null
                ? Encoding.UTF8.GetString(answer, 0, length)
                : Failed("root's part gave no answer: journalctl -u 'bastion-bundle@*'");
        }
        catch (Exception e) when (e is SocketException or IOException)
        {
            return Failed($"root's part cannot be reached ({e.Message}): systemctl status bastion-bundle.socket");
        }
        catch (OperationCanceledException)
        {
            return Failed("not answered in time: journalctl -u 'bastion-bundle@*'");
        }
    }

    private static SyncReply? Read(string reply)
    {
        try
        {
            return JsonSerializer.Deserialize(reply, BundleJson.Default.SyncReply);
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private static string Failed(string why) => JsonSerializer.Serialize(
        new SyncReply(false, SyncRefusal.Failed, why) { Formats = [Bundle.CurrentFormat], Version = Machine.Version }, BundleJson.Default.SyncReply);
}
