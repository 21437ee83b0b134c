using System.Net;
using System.Net.Sockets;
using Common.Processes;
using InternalHost.Configuration;
using InternalHost.Tunnel;
using InternalHost.Wan.Links;

namespace InternalHost.Pins;

/// <summary>
/// The host key that a machine offers, proven by the key exchange and trusted by nobody: only for <see cref="FirstPin"/> and for telling
/// both keys after a mismatch. By the system's ssh over a connection of ours, without a login.
/// </summary>
internal sealed class OfferedHostKey(IProcessLauncher launcher, BastionOptions bastion, string runtimeDirectory, TimeProvider time, SelfProgram? self = null)
{
    private static readonly TimeSpan ConnectLimit = TimeSpan.FromSeconds(8);

    /// <summary>Nothing of the caller's pins is of use here.</summary>
    private readonly SshOnce _ssh = new(launcher, bastion with { HostKeys = [] }, runtimeDirectory, self);

    /// <returns>Type and key; null: nothing answered there as SSH does.</returns>
    /// <exception cref="ProcessStartException">There is no ssh.</exception>
    /// <exception cref="OperationCanceledException"/>
    public async Task<string?> AskAsync(UplinkOptions by, IPEndPoint server, CancellationToken ct)
    {
        try
        {
            using var socket = await BoundSocket.ConnectAsync(by, server, ConnectLimit, time, ct);
            return await AskAsync(socket, ct);
        }
        catch (Exception e) when (e is IOException or SocketException || (e is OperationCanceledException && !ct.IsCancellationRequested))
        {
            return null;
        }
    }

    /// <summary>ssh files the key that has just signed the exchange in a file of its own, which is read and removed.</summary>
    private async Task<string?> AskAsync(Socket socket, CancellationToken ct)
    {
        var filed = "";
        try
        {
            await _ssh.RunAsync(socket, (empty, proxy) => SshCommandLine.Offered(bastion, filed = empty + "o", proxy), default, (_, _) => { }, ct);
            return File.Exists(filed) ? PinText.Parse(WithoutHost(await File.ReadAllTextAsync(filed, ct))).FirstOrDefault()?.Key : null;
        }
        finally
        {
            if (filed.Length > 0)
            {
                File.Delete(filed);
            }
        }
    }

    /// <summary>A known_hosts line begins with the name it is filed under.</summary>
    private static string WithoutHost(string line) => line.IndexOf(' ') is var end and >= 0 ? line[(end + 1)..] : line;
}
