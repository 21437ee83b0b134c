using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace InternalHost.Tunnel;

/// <summary>Gives one connected socket to the one helper that asks for it, on a Unix socket in a folder that only we can enter.</summary>
internal sealed partial class HandoverServer : IDisposable
{
    private const int GetFlags = 3;
    private const int SetFlags = 4;
    private const int NonBlocking = 0x800;

    private readonly Socket _listener = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);

    public HandoverServer(string path)
    {
        Path = path;
        File.Delete(path);
        _listener.Bind(new UnixDomainSocketEndPoint(path));
        _listener.Listen(1);
    }

    public string Path { get; }

    /// <exception cref="IOException">The helper went away.</exception>
    public async Task GiveAsync(Socket connection, CancellationToken ct)
    {
        using var helper = await _listener.AcceptAsync(ct);
        MakeBlocking(connection);
        FdPassing.Send((int)helper.Handle, (int)connection.Handle);
    }

    public void Dispose()
    {
        _listener.Dispose();
        File.Delete(Path);
    }

    /// <summary>The flag belongs to the open connection, not to the descriptor: ssh does its key exchange with blocking calls.</summary>
    private static void MakeBlocking(Socket socket)
    {
        var handle = (int)socket.Handle;
        var flags = Fcntl(handle, GetFlags, 0);
        if (flags < 0 || Fcntl(handle, SetFlags, flags & ~NonBlocking) < 0)
        {
            throw new IOException($"fcntl: {Marshal.GetPInvokeErrorMessage(Marshal.GetLastPInvokeError())}");
        }
    }

    [LibraryImport("libc", EntryPoint = "fcntl", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Fcntl(int fd, int command, nint argument);
}
