using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Integration.Tests.Cloud;

/// <summary>A local cloud's instance seen from outside: its ports with plain sockets, its processes in /proc.</summary>
internal static class CloudSight
{
    public static async Task ServesAsync(OwnCloud cloud)
    {
        while ((await cloud.Ssh.RunAsync(cloud.Server, "true")).Exit.Code != 0)
        {
            await Task.Delay(50, cloud.Soon);
        }
    }

    public static async Task BannerAsync(IPEndPoint server)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        while (true)
        {
            try
            {
                using var socket = await ConnectAsync(server, TimeSpan.FromSeconds(5));
                if ((await ReceiveAsync(socket, limit.Token)).StartsWith("SSH-2.0-", StringComparison.Ordinal))
                {
                    return;
                }
            }
            catch (SocketException)
            {
                await Task.Delay(20, limit.Token);
            }
        }
    }

    public static async Task<Socket> ConnectAsync(IPEndPoint to, TimeSpan limit)
    {
        using var timeout = new CancellationTokenSource(limit);
        var socket = new Socket(to.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            await socket.ConnectAsync(to, timeout.Token);
            return socket;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    /// <returns>What came, or nothing where the other side has closed or reset.</returns>
    public static async Task<string> ReceiveAsync(Socket socket, CancellationToken ct)
    {
        var buffer = new byte[4096];
        try
        {
            return Encoding.UTF8.GetString(buffer, 0, await socket.ReceiveAsync(buffer, ct));
        }
        catch (SocketException)
        {
            return "";
        }
    }

    public static int ListenerPid(OwnCloud cloud) =>
        int.Parse(File.ReadLines(cloud.Place.File("sshd/sshd.log")).Last(l => l.Contains("Server listening", StringComparison.Ordinal)).Split('[', ']')[1], CultureInfo.InvariantCulture);

    public static bool IsAlive(int pid) =>
        File.Exists($"/proc/{pid}/stat") && !File.ReadAllText($"/proc/{pid}/stat").Contains(") Z ", StringComparison.Ordinal);
}
