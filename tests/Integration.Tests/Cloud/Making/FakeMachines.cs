using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using InternalHost.Cloud.Making;

namespace Integration.Tests.Cloud.Making;

/// <summary>
/// The machines' side of a making without machines: who has which host key, and who was installed. The real thing, on a real sshd, is
/// <see cref="SetupSshTests"/>.
/// </summary>
/// <param name="bornWith">The host key of the machine at that address as long as it was not replaced.</param>
internal sealed class FakeMachines(Func<IPAddress, string> bornWith)
{
    private readonly ConcurrentDictionary<IPAddress, string> _inUse = new();
    private readonly ConcurrentDictionary<IPAddress, string> _next = new();
    private int _keys;

    /// <summary>Host keys of all machines.</summary>
    public ICollection<string> InUse => _inUse.Values;

    public ConcurrentBag<IPAddress> Installed { get; } = [];

    /// <summary>As ssh-keygen -y would print it; one byte apart.</summary>
    public static string Key(int number)
    {
        var blob = new byte[51];
        "\0\0\0\x0bssh-ed25519\0\0\0 "u8.CopyTo(blob);
        BitConverter.TryWriteBytes(blob.AsSpan(19), number);
        return "ssh-ed25519 " + Convert.ToBase64String(blob);
    }

    public string HostKeyOf(IPAddress address) => _inUse.GetOrAdd(address, bornWith);

    public ISetupShell Shell(Guillotine guillotine) => new FakeShell(this, guillotine);

    private string Run(SetupTarget target, string script)
    {
        var address = target.Addresses[^1];
        Assert.Contains(HostKeyOf(address), target.HostKeys);
        switch (script)
        {
            case SetupScript.NewHostKey:
                return _next.GetOrAdd(address, _ => Key(1_000_000 + Interlocked.Increment(ref _keys)));
            case SetupScript.UseNewHostKey:
                if (_next.TryRemove(address, out var next))
                {
                    _inUse[address] = next;
                }

                return "";
            case "true":
                return "";
            default:
                Assert.Contains("bastion install ", script, StringComparison.Ordinal);
                Installed.Add(address);
                return string.Create(CultureInfo.InvariantCulture, $"installed on {address}");
        }
    }

    private sealed class FakeShell(FakeMachines machines, Guillotine guillotine) : ISetupShell
    {
        public Task<string> RunAsync(SetupTarget target, string script, ReadOnlyMemory<byte> input, Action<string> onLine, CancellationToken ct) =>
            guillotine.PassAsync(isCall: false, () => Task.FromResult(machines.Run(target, script)));

        public Task<string?> OfferedAsync(SetupTarget target, CancellationToken ct) => Task.FromResult<string?>(machines.HostKeyOf(target.Addresses[^1]));
    }
}
