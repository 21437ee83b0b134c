using System.Collections.Immutable;
using Common;

namespace InternalHost.Cloud.Making;

/// <summary>What the machine's own <c>bastion install</c> is told.</summary>
/// <param name="SiteKey">The public half of the tunnel's key.</param>
/// <param name="ForwardPort">The first of the site's block.</param>
/// <param name="Package">The file's own name.</param>
/// <param name="Sum">SHA-256 of it, in hex.</param>
internal sealed record SetupFacts(string Site, ImmutableArray<int> Ports, int ForwardPort, string MaintenanceKey, string SiteKey, string Package, string Sum);

/// <summary>The scripts that run on a new machine, as root. Each may be run again, at whatever point its last run ended.</summary>
[PureCore]
internal static class SetupScript
{
    public const string MaintenanceAccount = "maintenance";

    private const string Folder = "/var/lib/bastion-setup";
    private const string HostKeyFile = "/etc/ssh/ssh_host_ed25519_key";

    /// <summary>Reads the package. <c>bastion install</c> is a transaction: killed in the middle, it is taken back by itself or by the next run.</summary>
    /// <param name="leaving">The account that comes by the provider's key, and not any more afterwards.</param>
    public static string Install(SetupFacts facts, string leaving) =>
        $"""
        set -eu
        export DEBIAN_FRONTEND=noninteractive PATH=/usr/sbin:/usr/bin:/sbin:/bin
        umask 022
        mkdir -p {Folder}
        cat > {Folder}/{facts.Package}
        echo "{facts.Sum}  {Folder}/{facts.Package}" | sha256sum --check --status || {"{"} echo "the package came broken: run this again" >&2; exit 1; {"}"}
        # Where it does not run at this boot it would be waited for without end.
        if [ -e /run/cloud-init/enabled ]; then timeout 600 cloud-init status --wait >/dev/null 2>&1 || true; fi
        echo "{facts.MaintenanceKey}" > {Folder}/maintenance.pub
        echo "{facts.SiteKey}" > {Folder}/site.pub
        get() {"{"} apt-get -o DPkg::Lock::Timeout=600 -q -y "$@"; {"}"}
        get install {Folder}/{facts.Package} || {"{"} get update; get install {Folder}/{facts.Package}; {"}"}
        bastion install --ports {string.Join(',', facts.Ports)} --maintenance-key {Folder}/maintenance.pub --site {facts.Site}:{facts.ForwardPort} --site-key {facts.Site}={Folder}/site.pub --leaving {leaving}
        rm -r {Folder}
        """;

    /// <summary>Prints the public half of the host key that will be this machine's; it is not in use yet.</summary>
    public const string NewHostKey =
        $"""
        set -eu
        umask 077
        if [ ! -e {HostKeyFile}.next ]; then
          rm -f {HostKeyFile}.part {HostKeyFile}.part.pub
          ssh-keygen -q -t ed25519 -N '' -C '' -f {HostKeyFile}.part
          mv -f {HostKeyFile}.part.pub {HostKeyFile}.next.pub
          mv -f {HostKeyFile}.part {HostKeyFile}.next
        fi
        cat {HostKeyFile}.next.pub
        """;

    /// <summary>It takes the place of the one for the first contact, which everybody with access to the machine's settings has read.</summary>
    public const string UseNewHostKey =
        $"""
        set -eu
        if [ -e {HostKeyFile}.next ]; then
          cp {HostKeyFile}.next.pub {HostKeyFile}.pub
          mv -f {HostKeyFile}.next {HostKeyFile}
        fi
        rm -f {HostKeyFile}.next.pub /etc/ssh/ssh_host_rsa_key /etc/ssh/ssh_host_rsa_key.pub /etc/ssh/ssh_host_ecdsa_key /etc/ssh/ssh_host_ecdsa_key.pub
        systemctl reload ssh 2>/dev/null || kill -HUP "$(cat /run/sshd.pid)"
        """;
}
