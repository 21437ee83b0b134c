using System.Globalization;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.RegularExpressions;
using Common.Processes;
using Lab.Net;

namespace Integration.Tests.Net;

/// <summary>
/// Looks at the lab from inside its parts with plain sockets and ping, bound to a line; shares nothing with the product. Lines: primary and
/// backup of the home, and box (wiring C).
/// </summary>
internal sealed partial class Onlooker : IDisposable
{
    /// <summary>For what must come, however busy the machine is.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    /// <summary>For what must not come.</summary>
    public static readonly TimeSpan Silence = TimeSpan.FromMilliseconds(600);

    private const int Port = 4822;

    private readonly LabNet _net;
    private readonly Socket _bastion;
    private readonly SystemProcessLauncher _launcher = new(TimeProvider.System);

    private Onlooker(LabNet net, Socket bastion) => (_net, _bastion) = (net, bastion);

    public static async Task<Onlooker> StartAsync(LabNet net) => new(net, await net.InAsync("cloud", () =>
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(IPAddress.Parse(net.Addresses["bastion_behind"]), Port));
        socket.Listen(8);
        return socket;
    }));

    public void Dispose() => _bastion.Dispose();

    public async Task<Socket> AcceptAsync() => await _bastion.AcceptAsync();

    /// <summary>The address that the bastion sees on a connection by this line; null when none arrives.</summary>
    public async Task<string?> SeenAsync(string line, TimeSpan? patience = null)
    {
        using var connected = await ConnectAsync(line, patience);
        if (connected is null)
        {
            return null;
        }

        var said = Guid.NewGuid().ToByteArray();
        await connected.SendAsync(said);
        while (true)
        {
            using var limit = new CancellationTokenSource(Patience);
            using var accepted = await _bastion.AcceptAsync(limit.Token);
            var heard = new byte[said.Length];
            // One that was given up before may still be in the queue.
            if (await accepted.ReceiveAsync(heard, limit.Token) == said.Length && heard.AsSpan().SequenceEqual(said))
            {
                return ((IPEndPoint)accepted.RemoteEndPoint!).Address.ToString();
            }
        }
    }

    /// <summary>Asked again until it is so; what was seen last when patience ends.</summary>
    public static async Task<T> UntilAsync<T>(T wanted, Func<Task<T>> look)
    {
        using var limit = new CancellationTokenSource(Patience);
        while (true)
        {
            var seen = await look();
            if (Equals(seen, wanted) || limit.IsCancellationRequested)
            {
                return seen;
            }
        }
    }

    public Task<Socket?> ConnectAsync(string line, TimeSpan? patience = null) => ConnectAsync(line, _net.Addresses["bastion"], Port, patience);

    public async Task<Socket?> ConnectAsync(string line, string address, int port, TimeSpan? patience = null)
    {
        var socket = await OpenAsync(line, SocketType.Stream);
        try
        {
            using var limit = new CancellationTokenSource(patience ?? Patience);
            await socket.ConnectAsync(new IPEndPoint(IPAddress.Parse(address), port), limit.Token);
            return socket;
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException)
        {
            socket.Dispose();
            return null;
        }
    }

    /// <summary>Echo requests by this line: how many came back, and the shortest round trip in ms.</summary>
    public Task<(int Received, double Shortest)> PingAsync(string line, int count = 3) => PingAsync(line, _net.Addresses["bastion"], count);

    public async Task<(int Received, double Shortest)> PingAsync(string line, string address, int count = 3)
    {
        var (part, device, source) = Line(line);
        string[] bound = address.Contains(':') ? ["-I", device] : ["-I", device, "-I", source];
        var result = await _launcher.RunAsync(_net.In(part, new ProcessSpec("ping", ["-q", "-n", "-c", $"{count}", "-i", "0.02", "-W", "1", .. bound, address])), default);
        var received = Received().Match(result.Output);
        var shortest = Shortest().Match(result.Output);
        return (
            received.Success ? int.Parse(received.Groups["n"].Value, CultureInfo.InvariantCulture) : 0,
            shortest.Success ? double.Parse(shortest.Groups["ms"].Value, CultureInfo.InvariantCulture) : double.NaN);
    }

    /// <summary>The address that a resolver gives for a name; null: no answer.</summary>
    public async Task<IPAddress?> AskAsync(string line, string resolver, string name, TimeSpan? patience = null)
    {
        using var socket = await OpenAsync(line, SocketType.Dgram);
        using var limit = new CancellationTokenSource(patience ?? Patience);
        byte[] query = [0x17, 0x2a, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, .. name.Split('.').SelectMany(l => (byte[])[(byte)l.Length, .. Encoding.ASCII.GetBytes(l)]), 0, 0, 1, 0, 1];
        var reply = new byte[512];
        try
        {
            await socket.SendToAsync(query, new IPEndPoint(IPAddress.Parse(resolver), 53), limit.Token);
            var length = await socket.ReceiveAsync(reply, limit.Token);
            return reply[7] == 1 ? new IPAddress(reply.AsSpan(length - 4, 4)) : null;
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException)
        {
            return null;
        }
    }

    /// <summary>First line and Location of what answers a plain HTTP request; null: nobody.</summary>
    public async Task<string?> BrowseAsync(string line, string address)
    {
        using var socket = await ConnectAsync(line, address, 80);
        if (socket is null)
        {
            return null;
        }

        await using var stream = new NetworkStream(socket);
        await stream.WriteAsync("GET / HTTP/1.1\r\nHost: example.test\r\nConnection: close\r\n\r\n"u8.ToArray());
        using var reader = new StreamReader(stream);
        var lines = (await reader.ReadToEndAsync()).Split("\r\n");
        return $"{lines[0]} {lines.FirstOrDefault(l => l.StartsWith("Location:", StringComparison.Ordinal))}";
    }

    /// <summary>The subject of the certificate that is shown; null: no handshake.</summary>
    public async Task<string?> CertificateAsync(string line, string address)
    {
        using var socket = await ConnectAsync(line, address, 443);
        if (socket is null)
        {
            return null;
        }

        X509Certificate? shown = null;
        await using var tls = new SslStream(new NetworkStream(socket), false, (_, certificate, _, _) => (shown = certificate) is not null);
        await tls.AuthenticateAsClientAsync("a.witness.test");
        return shown?.Subject;
    }

    /// <summary>How long this much takes to the bastion.</summary>
    public async Task<TimeSpan> UploadAsync(string line, int bytes)
    {
        using var sender = await ConnectAsync(line) ?? throw new InvalidOperationException($"{line} does not reach the bastion");
        using var receiver = await AcceptAsync();
        var started = TimeProvider.System.GetTimestamp();
        var sending = sender.SendAsync(new byte[bytes]);
        var buffer = new byte[65_536];
        for (var got = 0; got < bytes;)
        {
            got += await receiver.ReceiveAsync(buffer);
        }

        await sending;
        return TimeProvider.System.GetElapsedTime(started);
    }

    private async Task<Socket> OpenAsync(string line, SocketType type)
    {
        const int solSocket = 1;
        const int bindToDevice = 25;
        var (part, device, source) = Line(line);
        var socket = await _net.InAsync(part, () => new Socket(AddressFamily.InterNetwork, type, type == SocketType.Stream ? ProtocolType.Tcp : ProtocolType.Udp));
        socket.SetRawSocketOption(solSocket, bindToDevice, Encoding.ASCII.GetBytes(device + "\0"));
        socket.Bind(new IPEndPoint(IPAddress.Parse(source), 0));
        return socket;
    }

    private (string Part, string Device, string Source) Line(string line) => line switch
    {
        "box" => ("box", "lan", _net.Addresses["box"]),
        "primary, later" => ("home", _net.Addresses["primary_interface"], _net.Addresses["primary_public_later"]),
        _ => ("home", _net.Addresses[line + "_interface"], _net.Addresses[line + "_address"]),
    };

    [GeneratedRegex(@"(?<n>\d+) received", RegexOptions.ExplicitCapture, 100)]
    private static partial Regex Received();

    [GeneratedRegex(@"= (?<ms>[\d.]+)/", RegexOptions.ExplicitCapture, 100)]
    private static partial Regex Shortest();
}
