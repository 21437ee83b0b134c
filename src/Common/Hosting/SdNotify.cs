using System.Globalization;
using System.Net.Sockets;
using System.Text;
using Common.Time;

namespace Common.Hosting;

/// <summary>
/// Tells the service manager how we are (sd_notify(3)). Without a service manager every call does nothing. The three variables are
/// taken out of the environment, so that no child speaks in our name.
/// </summary>
public sealed class SdNotify : IDisposable
{
    private const int MaxStatus = 200;

    private readonly Socket? _socket;
    private readonly UnixDomainSocketEndPoint? _manager;
    private readonly TimeProvider _time;

    private SdNotify(string? path, TimeSpan? watchdog, TimeProvider time)
    {
        _time = time;
        if (path is ['/' or '@', _, ..])
        {
            // '@' stands for the NUL of an abstract socket.
            _manager = new UnixDomainSocketEndPoint(path[0] == '@' ? '\0' + path[1..] : path);
            _socket = new Socket(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified) { Blocking = false };
            WatchdogInterval = watchdog / 3;
        }
    }

    /// <summary>How often <see cref="Watchdog"/> is to be called: a third of the manager's patience; null where it does not watch.</summary>
    public TimeSpan? WatchdogInterval { get; }

    public bool IsListenedTo => _socket is not null;

    public static SdNotify FromEnvironment(TimeProvider time) => From(Take, Environment.ProcessId, time);

    /// <param name="take">Gives a variable's value and forgets it.</param>
    public static SdNotify From(Func<string, string?> take, int ownPid, TimeProvider time)
    {
        var (path, usec, pid) = (take("NOTIFY_SOCKET"), take("WATCHDOG_USEC"), take("WATCHDOG_PID"));
        return new SdNotify(path, IsForUs(pid, ownPid) ? Microseconds(usec) : null, time);
    }

    public void Ready(string status) => Send($"READY=1\nSTATUS={OneLine(status)}");

    public void Status(string status) => Send($"STATUS={OneLine(status)}");

    public void Watchdog() => Send("WATCHDOG=1");

    public void Stopping() => Send("STOPPING=1");

    /// <summary>Followed by <see cref="Ready"/> when done. The manager wants the moment, to tell this reload from an earlier one.</summary>
    public void Reloading() => Send($"RELOADING=1\nMONOTONIC_USEC={Instant.Now(_time).Ticks / TimeSpan.TicksPerMicrosecond}");

    public void Dispose() => _socket?.Dispose();

    private void Send(string message)
    {
        try
        {
            _socket?.SendTo(Encoding.UTF8.GetBytes(message), _manager!);
        }
        catch (SocketException)
        {
            // A service manager that is restarting is no reason to fail; the next watchdog message says that we live.
        }
    }

    private static string? Take(string name)
    {
        var value = Environment.GetEnvironmentVariable(name);
        Environment.SetEnvironmentVariable(name, null);
        return value;
    }

    private static bool IsForUs(string? pid, int ownPid) =>
        string.IsNullOrEmpty(pid) || (int.TryParse(pid, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number == ownPid);

    private static TimeSpan? Microseconds(string? usec) =>
        long.TryParse(usec, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number is > 0 and < long.MaxValue / 10
            ? TimeSpan.FromMicroseconds(number)
            : null;

    private static string OneLine(string text) => (text.Length > MaxStatus ? text[..MaxStatus] : text).Replace('\n', ' ').Replace('\r', ' ');
}
