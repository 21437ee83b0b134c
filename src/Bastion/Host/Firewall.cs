using System.Globalization;
using System.Text;
using Bastion.People;
using Common;

namespace Bastion.Host;

/// <summary>
/// The host's firewall, IPv4 and IPv6 in one table of our own: other tables are left alone. In: sshd, what IPv6 cannot live without, and
/// answers. Out: a person's or a site's processes reach this host's loopback and nothing else, so that a forward cannot leave it.
/// </summary>
[PureCore]
internal static class Firewall
{
    public const string Path = "/etc/bastion/firewall.nft";
    public const string Table = "inet bastion";
    public const string Main = "/etc/nftables.conf";

    /// <summary>Without it the ruleset of the next start would not have us. nftables.service loads this file.</summary>
    public const string Include = $"include \"{Path}\" # bastion";

    public static string WithInclude(string? main) => WithoutInclude(main) is { Length: > 0 } text ? $"{text.TrimEnd('\n')}\n{Include}\n" : $"#!/usr/sbin/nft -f\n{Include}\n";

    /// <summary>Null: nothing but our line was in it.</summary>
    public static string? WithoutInclude(string? main)
    {
        var lines = (main ?? "").Split('\n').Where(l => l != Include).ToList();
        return lines.All(l => l.Length == 0 || l == "#!/usr/sbin/nft -f") && main?.Contains(Include, StringComparison.Ordinal) == true ? null : string.Join('\n', lines);
    }

    public static string Write(HostSettings settings)
    {
        var ports = new StringBuilder().AppendJoin(", ", settings.Ports.Order());
        return string.Create(CultureInfo.InvariantCulture,
            $$"""
            #!/usr/sbin/nft -f
            # Made by bastion install; changes are undone by the next run. Loading it twice is loading it once.
            table {{Table}}
            delete table {{Table}}
            table {{Table}} {
            	# Who opened which port of a site's, for the record: bastion reached.
            	set {{ReachedSet.Name}} {
            		typeof meta skuid . tcp dport
            		size {{ReachedSet.Most}}
            		flags dynamic,timeout
            		timeout {{(int)ReachedSet.Window.TotalSeconds}}s
            	}
            	chain inbound {
            		type filter hook input priority filter; policy drop;
            		iifname "lo" accept
            		ct state established,related accept
            		ct state invalid drop
            		tcp dport { {{ports}} } accept
            		icmp type { destination-unreachable, time-exceeded, parameter-problem, echo-request } accept
            		icmpv6 type { destination-unreachable, packet-too-big, time-exceeded, parameter-problem, echo-request, nd-router-advert, nd-neighbor-solicit, nd-neighbor-advert } accept
            		udp sport 67 udp dport 68 accept
            		ip6 saddr fe80::/10 udp sport 547 udp dport 546 accept
            	}
            	chain forwarded {
            		type filter hook forward priority filter; policy drop;
            	}
            	chain outbound {
            		type filter hook output priority filter; policy accept;
            		ct direction reply accept
            		oifname "lo" tcp dport {{settings.AgentPort}} tcp flags syn / syn,ack meta skgid "{{Accounts.PersonGroup}}" reject with tcp reset
            		oifname "lo" tcp flags syn / syn,ack meta skgid "{{Accounts.PersonGroup}}" add @{{ReachedSet.Name}} { meta skuid . tcp dport }
            		oifname "lo" accept
            		meta skgid { "{{Accounts.PersonGroup}}", "{{Accounts.SiteGroup}}" } counter reject
            		ip daddr 169.254.169.254 meta skuid != 0 counter reject
            		ip6 daddr fd00:ec2::254 meta skuid != 0 counter reject
            	}
            }

            """);
    }
}
