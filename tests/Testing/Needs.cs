using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Xunit;

namespace Testing;

/// <summary>What a test needs of the machine. Where it is absent the test is skipped, and says why.</summary>
[Flags]
public enum Need
{
    None = 0,
    Ssh = 1,
    Sshd = 2,
    Root = 4,
    NetworkNamespaces = 8,
    Nft = 16,
    OpenSsl = 32,
    SystemdAnalyze = 64,
    Ipv6 = 128,

    /// <summary>A NAT64, and the TUN device that it needs.</summary>
    Tayga = 256,

    /// <summary>Mount namespaces, accounts of one's own and the programs that people log in with.</summary>
    PamWorld = 512,

    /// <summary>A whole Debian in a container, and packages to install into it (lab/box, infra/package).</summary>
    Container = 1024,

    /// <summary>moto's stand-in for AWS, 5.x (Python).</summary>
    Moto = 2048,

    /// <summary>AWS's own command-line client.</summary>
    AwsCli = 4096,

    ShellCheck = 8192,

    /// <summary>cloud-init, for its schema; it is kept from running on this machine.</summary>
    CloudInit = 16_384,
}

[AttributeUsage(AttributeTargets.Method)]
public sealed class NeedsFactAttribute : FactAttribute
{
    public NeedsFactAttribute(Need needs)
    {
        if (Needs.Missing(needs) is { } reason)
        {
            Skip = reason;
        }
    }
}

[AttributeUsage(AttributeTargets.Method)]
public sealed class NeedsTheoryAttribute : TheoryAttribute
{
    public NeedsTheoryAttribute(Need needs)
    {
        if (Needs.Missing(needs) is { } reason)
        {
            Skip = reason;
        }
    }
}

public static class Needs
{
    public static string? Missing(Need needs)
    {
        if (needs.HasFlag(Need.Ssh) && Find("ssh") is null)
        {
            return "ssh is not installed (openssh-client)";
        }

        if (needs.HasFlag(Need.Sshd) && Find("sshd") is null)
        {
            return "sshd is not installed (openssh-server)";
        }

        if (needs.HasFlag(Need.OpenSsl) && Find("openssl") is null)
        {
            return "openssl is not installed";
        }

        if (needs.HasFlag(Need.SystemdAnalyze) && Find("systemd-analyze") is null)
        {
            return "systemd-analyze is not installed (systemd)";
        }

        if (needs.HasFlag(Need.Nft) && Find("nft") is null)
        {
            return "nft is not installed (nftables)";
        }

        if (needs.HasFlag(Need.Tayga) && (Find("tayga") is null || !File.Exists("/dev/net/tun")))
        {
            return Find("tayga") is null ? "tayga is not installed" : "there is no /dev/net/tun (modprobe tun)";
        }

        if (needs.HasFlag(Need.PamWorld) && Array.Find(["unshare", "nsenter", "newusers", "script", "sudo", "rsync"], p => Find(p) is null) is { } absent)
        {
            return $"{absent} is not installed (util-linux, passwd, bsdutils, sudo, rsync)";
        }

        if (needs.HasFlag(Need.Ipv6) && !HasIpv6())
        {
            return "this machine has no IPv6, not even ::1";
        }

        if (needs.HasFlag(Need.Moto) && Find("moto_server") is null)
        {
            return "moto_server is not on PATH (moto 5.x, Python)";
        }

        if (needs.HasFlag(Need.AwsCli) && Find("aws") is null)
        {
            return "aws is not installed (awscli)";
        }

        if (needs.HasFlag(Need.ShellCheck) && Find("shellcheck") is null)
        {
            return "shellcheck is not installed";
        }

        if (needs.HasFlag(Need.CloudInit) && Find("cloud-init") is null)
        {
            return "cloud-init is not installed";
        }

        if (needs.HasFlag(Need.Container) && Box.Value is { } noBox)
        {
            return noBox;
        }

        if ((needs.HasFlag(Need.Root) || needs.HasFlag(Need.NetworkNamespaces)) && Environment.UserName != "root")
        {
            return "needs root";
        }

        return needs.HasFlag(Need.NetworkNamespaces) && Find("ip") is null ? "ip is not installed (iproute2)" : null;
    }

    /// <summary>Asked once: it looks for a mirror on the network.</summary>
    private static readonly Lazy<string?> Box = new(() =>
    {
        if (Array.Find(["dh", "dpkg-buildpackage"], p => Find(p) is null) is { } program)
        {
            return $"{program} is not installed (debhelper, dpkg-dev)";
        }

        var clone = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(clone.FullName, "lab", "box")))
        {
            clone = clone.Parent ?? throw new DirectoryNotFoundException("lab/box was not found above " + AppContext.BaseDirectory);
        }

        using var can = Process.Start(new ProcessStartInfo(Path.Combine(clone.FullName, "lab", "box"), ["can"]) { UseShellExecute = false, RedirectStandardError = true })!;
        var reason = can.StandardError.ReadToEnd().Trim();
        can.WaitForExit();
        return can.ExitCode == 0 ? null : reason;
    });

    private static bool HasIpv6()
    {
        try
        {
            using var socket = new Socket(AddressFamily.InterNetworkV6, SocketType.Dgram, ProtocolType.Udp);
            socket.Bind(new IPEndPoint(IPAddress.IPv6Loopback, 0));
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }

    /// <summary>Where a program is, looking at PATH and then where Debian puts what is not on a user's PATH.</summary>
    public static string? Find(string program) =>
        (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':').Concat(["/usr/sbin", "/sbin", "/usr/local/sbin"])
            .Where(d => d.Length > 0).Select(d => Path.Combine(d, program)).FirstOrDefault(File.Exists);
}
