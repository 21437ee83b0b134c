using System.Collections.Immutable;
using System.Net;

namespace InternalHost.Cloud.Local;

/// <param name="Folder">Everything it has lies here, 0700: configuration, host key, authorized_keys, log.</param>
/// <param name="Listen">Loopback addresses only.</param>
/// <param name="AuthorizedKeys">Lines as of <see cref="AuthorizedKeyLine"/>.</param>
internal sealed record PrivateSshdOptions(string Folder, ImmutableArray<IPEndPoint> Listen, ImmutableArray<string> AuthorizedKeys)
{
    public string Folder { get; } = Path.GetFullPath(Folder);

    /// <summary>Lines of sshd_config that come before ours, and so win over them.</summary>
    public ImmutableArray<string> ExtraConfiguration { get; init; } = [];

    /// <summary>Stands for the host in the log. Never the host's own name.</summary>
    public string Label { get; init; } = "bastion";

    /// <summary>Each line of the log as it is written, on any thread; must not block.</summary>
    public Action<string>? OnLogLine { get; init; }

    public string LogFile => Path.Combine(Folder, "sshd.log");

    public string HostKeyFile => Path.Combine(Folder, "ssh_host_ed25519_key");

    /// <exception cref="PrivateSshdException">It could not work, or would be open to others than this machine.</exception>
    public void Check()
    {
        if (Listen.IsDefaultOrEmpty)
        {
            throw new PrivateSshdException("a private sshd needs an address to listen on");
        }

        if (Listen.FirstOrDefault(l => !IPAddress.IsLoopback(l.Address)) is { } open)
        {
            throw new PrivateSshdException($"a private sshd listens on loopback addresses only, not on {open}");
        }

        if (Folder.AsSpan().ContainsAny("\"\n\r"))
        {
            throw new PrivateSshdException($"the folder of a private sshd cannot have quotes or line ends in its name: {Folder}");
        }
    }
}

/// <summary>The private sshd does not run; the message has its own words and the next step.</summary>
internal sealed class PrivateSshdException(string message, Exception? inner = null) : Exception(message, inner);
