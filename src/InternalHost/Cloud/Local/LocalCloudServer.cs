using System.Collections.Concurrent;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using Common.Processes;

namespace InternalHost.Cloud.Local;

/// <summary>
/// Provider <c>local</c>: a cloud with one instance, whose sshd is a real one of this machine. A program of its own, so that what
/// happens to <c>internalhost</c> does not happen to the cloud. Its folder holds socket, log, lock and the instance's sshd.
/// </summary>
internal sealed class LocalCloudServer(string directory, LocalCloudSettings settings, IProcessLauncher launcher, TimeProvider time)
{
    public const string SocketName = "cloud.sock";
    public const string LogName = "provider.log";

    private const int LongestRequest = 64 * 1024;

    /// <summary>sun_path of sockaddr_un, less its closing zero (unix(7)).</summary>
    private const int LongestSocketPath = 107;

    private readonly ConcurrentDictionary<Task, bool> _connections = new();

    private string SocketPath => Path.Combine(directory, SocketName);

    /// <summary>Until cancelled or told to quit; then no process is left.</summary>
    /// <param name="ready">Called with the socket's path when calls can be made.</param>
    /// <exception cref="LocalCloudException">It cannot run here.</exception>
    public async Task RunAsync(Action<string> ready, CancellationToken ct)
    {
        if (Encoding.UTF8.GetByteCount(SocketPath) > LongestSocketPath)
        {
            throw new LocalCloudException($"{SocketPath} is too long for a Unix socket ({LongestSocketPath} bytes): use a shorter folder");
        }

        Directory.CreateDirectory(directory, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        using var only = LockFolder();
        using var log = new ProviderLog(Path.Combine(directory, LogName), time);
        await PrepareAsync(log, ct);
        using var listener = Listen();
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(ct);
        var loop = new LocalCloudLoop(settings, directory, launcher, time, log);
        var running = loop.RunAsync(ending.Token);
        ready(SocketPath);
        try
        {
            await Task.WhenAny(AcceptAsync(listener, loop, ending), running);
        }
        finally
        {
            await ending.CancelAsync();
            await running;
            File.Delete(SocketPath);
            await Task.WhenAll(_connections.Keys);
        }
    }

    private FileStream LockFolder()
    {
        try
        {
            return new FileStream(Path.Combine(directory, "cloud.lock"), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (IOException e)
        {
            throw new LocalCloudException($"a local cloud already runs in {directory}: end it first, or use another folder", e);
        }
    }

    /// <summary>The host key can be pinned from here on; what a killed run left is ended and written down.</summary>
    private async Task PrepareAsync(ProviderLog log, CancellationToken ct)
    {
        _ = await PrivateSshd.HostKeyAsync(settings.Sshd(0, null), launcher, ct);
        var last = ProviderLog.Read(log.Path).LastOrDefault(e => e.Event is LocalInstanceMachine.Launched or LocalInstanceMachine.HasStopped);
        if (last is { Event: LocalInstanceMachine.Launched })
        {
            for (var place = 0; place < settings.Addresses.Length; place++)
            {
                await PrivateSshd.EndLeftSessionsAsync(settings.Sshd(place, null), time);
            }

            log.Write(new(0, LocalInstanceMachine.HasStopped, Launch: last.Launch, By: "itself", Detail: "the provider was killed"));
        }
    }

    private Socket Listen()
    {
        File.Delete(SocketPath);
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        socket.Bind(new UnixDomainSocketEndPoint(SocketPath));
        File.SetUnixFileMode(SocketPath, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        socket.Listen(64);
        return socket;
    }

    private async Task AcceptAsync(Socket listener, LocalCloudLoop loop, CancellationTokenSource ending)
    {
        try
        {
            while (true)
            {
                var serving = ServeAsync(await listener.AcceptAsync(ending.Token), loop, ending);
                _connections[serving] = true;
                _ = serving.ContinueWith(t => _connections.TryRemove(t, out _), TaskScheduler.Default);
            }
        }
        catch (OperationCanceledException) when (ending.IsCancellationRequested)
        {
            // Told to quit.
        }
    }

    private async Task ServeAsync(Socket socket, LocalCloudLoop loop, CancellationTokenSource ending)
    {
        using var line = new LineSocket(socket, LongestRequest);
        try
        {
            while (await line.ReadAsync(LocalCloudJson.Default.LocalCloudRequest, ending.Token) is { } request)
            {
                var result = await loop.CallAsync(request, ending.Token);
                await Task.Delay(result.Delay, time, ending.Token);
                if (result.Lost)
                {
                    return;
                }

                await line.WriteAsync(result.Reply, LocalCloudJson.Default.LocalCloudReply, ending.Token);
                if (request.Op == "quit")
                {
                    await ending.CancelAsync();
                }
            }
        }
        catch (JsonException e)
        {
            await TellAsync(line, $"not a request: {e.Message}");
        }
        catch (Exception e) when (e is IOException or OperationCanceledException)
        {
            // The client went away, or we are ending: nobody is there to be told.
        }
    }

    private static async Task TellAsync(LineSocket line, string error)
    {
        try
        {
            await line.WriteAsync(LocalCloudReply.Failed(CloudFailure.Unknown, error), LocalCloudJson.Default.LocalCloudReply, CancellationToken.None);
        }
        catch (IOException)
        {
            // It went away.
        }
    }
}

/// <summary>The local cloud cannot run here; the message has the next step.</summary>
internal sealed class LocalCloudException(string message, Exception? inner = null) : Exception(message, inner);
