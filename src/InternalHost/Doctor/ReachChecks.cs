using System.Collections.Immutable;
using System.Net;
using System.Net.Sockets;
using System.Text;
using InternalHost.Configuration;
using InternalHost.Control;
using InternalHost.Wan.Links;

namespace InternalHost.Doctor;

/// <summary>The bastion's greeting by the backup, where it always runs; and how long its sshd would keep a dead client's ports.</summary>
internal sealed class BastionCheck(SiteOptions site, TimeProvider time) : IDoctorCheck
{
    private const int MaxBanner = 255;
    private static readonly TimeSpan ConnectLimit = TimeSpan.FromSeconds(4);

    /// <summary>What our own sshd settings say, and the manual of any other should.</summary>
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(15);
    private const int CountMax = 3;

    public string Name => "bastion";

    public async Task<ImmutableArray<Finding>> RunAsync(CancellationToken ct)
    {
        if (site.Bastion.Address is not { } address)
        {
            return [Finding.CannotTell(Name, "it runs only while it is needed, so it cannot be asked now", "internalhost open, then internalhost status --watch, proves all of it")];
        }

        var findings = await Task.WhenAll(site.Bastion.Ports.Select(port => AskAsync(new IPEndPoint(address, port), ct)));
        return [.. findings];
    }

    private async Task<Finding> AskAsync(IPEndPoint server, CancellationToken ct)
    {
        var check = $"{Name} port {server.Port}";
        try
        {
            using var socket = await BoundSocket.ConnectAsync(site.Backup, server, ConnectLimit, time, ct);
            var banner = await BannerAsync(socket, ct);
            return ClientAliveTime.Of(banner, Interval, CountMax) is { } alive
                ? Finding.Ok(check, $"{banner} by the backup; without our agent a dead connection keeps its ports for {alive} (ClientAliveInterval {Interval.TotalSeconds:0}, CountMax {CountMax})")
                : Finding.Warn(check, $"what answers by the backup is not OpenSSH: {(banner.Length == 0 ? "silence" : banner)}", "is a portal or another server in the way?");
        }
        catch (Exception e) when (e is UplinkException or SocketException)
        {
            return Finding.Warn(check, $"does not answer by the backup: {e.Message}", "does sshd listen on it, and does the firewall there let it in?");
        }
    }

    private async Task<string> BannerAsync(Socket socket, CancellationToken ct)
    {
        using var limit = new CancellationTokenSource(ConnectLimit, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, ct);
        var buffer = new byte[MaxBanner];
        try
        {
            var length = await socket.ReceiveAsync(buffer, either.Token);
            var line = Encoding.ASCII.GetString(buffer, 0, length).Split('\r', '\n')[0];
            return new string([.. line.Where(c => !char.IsControl(c))]);
        }
        catch (OperationCanceledException) when (!ct.IsCancellationRequested)
        {
            return "";
        }
    }
}

/// <summary>Something listens where each service says it is.</summary>
internal sealed class ServiceCheck(SiteOptions site, TimeProvider time) : IDoctorCheck
{
    private static readonly TimeSpan ConnectLimit = TimeSpan.FromSeconds(3);

    public string Name => "services";

    public async Task<ImmutableArray<Finding>> RunAsync(CancellationToken ct) => [.. await Task.WhenAll(site.Services.Select(s => AskAsync(s, ct)))];

    private async Task<Finding> AskAsync(ServiceOptions service, CancellationToken ct)
    {
        var (check, target) = ($"service {service.Name}", $"{service.TargetHost}:{service.TargetPort}");
        using var limit = new CancellationTokenSource(ConnectLimit, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, ct);
        using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
        try
        {
            await socket.ConnectAsync(service.TargetHost, service.TargetPort, either.Token);
            return Finding.Ok(check, $"{target} answers");
        }
        catch (Exception e) when (e is SocketException || (e is OperationCanceledException && !ct.IsCancellationRequested))
        {
            return Finding.Warn(check, $"nothing answers at {target}", "is it running, and is the address right?");
        }
    }
}

/// <summary>Is a daemon running, and does it know of anything wrong?</summary>
internal sealed class DaemonCheck(SiteOptions site, TimeProvider time) : IDoctorCheck
{
    public string Name => "daemon";

    public async Task<ImmutableArray<Finding>> RunAsync(CancellationToken ct)
    {
        try
        {
            var reply = await ControlClient.AskAsync(site.ControlSocket, new ControlRequest.Check(), time, ct);
            return reply switch
            {
                { Ok: true } => [Finding.Ok(Name, "runs, and knows of nothing wrong")],
                { Problems: { Count: > 0 } problems } => [.. problems.Select(p => Finding.Warn(Name, p, "internalhost status"))],
                _ => [Finding.CannotTell(Name, reply.Error ?? "it gave no answer", "internalhost status")],
            };
        }
        catch (ControlUnreachableException e)
        {
            return [Finding.Warn(Name, e.Message, "systemctl start internalhost")];
        }
    }
}
