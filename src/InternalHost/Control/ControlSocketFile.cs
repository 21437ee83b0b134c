using System.Net.Sockets;
using Common.Hosting;

namespace InternalHost.Control;

/// <summary>The control socket's file: made for us and our group, a dead daemon's leftover replaced, a live daemon's refused.</summary>
internal static class ControlSocketFile
{
    private const UnixFileMode OursAndGroups = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.GroupWrite;

    private const UnixFileMode FolderMode = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute
        | UnixFileMode.GroupRead | UnixFileMode.GroupExecute;

    /// <summary>A listening socket at <paramref name="path"/>.</summary>
    /// <exception cref="StartRefusedException">Somebody listens there, or it cannot be made.</exception>
    public static Socket Listen(string path, int backlog)
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            Directory.CreateDirectory(Path.GetDirectoryName(path)!, FolderMode);
            RemoveLeftover(path);
            socket.Bind(new UnixDomainSocketEndPoint(path));
            // Nobody can connect between bind and listen, so nobody meets the mode that umask gave.
            File.SetUnixFileMode(path, OursAndGroups);
            socket.Listen(backlog);
            return socket;
        }
        catch (Exception e)
        {
            socket.Dispose();
            throw e is SocketException or IOException or UnauthorizedAccessException or ArgumentException
                ? new StartRefusedException($"the control socket {path} cannot be made: {e.Message}", inner: e)
                : e;
        }
    }

    private static void RemoveLeftover(string path)
    {
        if (!Path.Exists(path))
        {
            return;
        }

        if (!IsSocket(path))
        {
            throw new StartRefusedException($"{path} is not a socket: set runtime_directory to a folder of our own");
        }

        if (IsAnswered(path))
        {
            throw new StartRefusedException($"another daemon answers on {path}: ask it (status), or stop it first");
        }

        File.Delete(path);
    }

    /// <summary>A socket cannot be opened (ENXIO); anything else can, or says why not.</summary>
    private static bool IsSocket(string path)
    {
        if (Directory.Exists(path))
        {
            return false;
        }

        try
        {
            File.OpenHandle(path).Dispose();
            return false;
        }
        catch (IOException)
        {
            return true;
        }
    }

    private static bool IsAnswered(string path)
    {
        using var probe = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified) { Blocking = false };
        try
        {
            probe.Connect(new UnixDomainSocketEndPoint(path));
            return true;
        }
        catch (SocketException e)
        {
            // A full queue (EAGAIN) is somebody's too.
            return e.SocketErrorCode is SocketError.WouldBlock or SocketError.InProgress;
        }
    }
}
