using System.Globalization;
using Bastion.Host;
using Testing;

namespace Integration.Tests.Host;

/// <summary>A carrier's outage ends: sixty sites behind one of its addresses come back in the same second.</summary>
public sealed class SixtySitesTests
{
    private const Need Needed = Need.Root | Need.Sshd | Need.Ssh | Need.NetworkNamespaces;
    private const int Sites = 60;
    private const int Port = 49022;
    private const int DefaultPort = 49023;

    private static readonly HostSettings Settings = HostSettings.Default with
    {
        Sites = [.. Enumerable.Range(1, Sites).Select(n => new SiteAccess(Label(n), FirstPort(n)))],
    };

    [NeedsFact(Needed)]
    public async Task Sixty_sites_of_one_address_are_all_let_in_and_the_distributions_default_turns_some_away()
    {
        await using var room = await HostRoom.OpenAsync();
        await PrepareAsync(room);
        await using var ours = room.Start(_ => { }, "sh", "-c", "exec /usr/sbin/sshd -D -E /root/sshd.log");
        await using var theirs = room.Start(
            _ => { }, "sh", "-c", $"printf 'Port {DefaultPort}\\nHostKey /etc/ssh/ssh_host_ed25519_key\\nPidFile none\\n' > /root/default && exec /usr/sbin/sshd -D -f /root/default -E /root/default.log");
        await room.UntilAsync(async () => (await room.ShellAsync($"ss -Hltn 'sport = :{Port} or sport = :{DefaultPort}' | grep -c :")).Output is not ("0" or "1" or ""), "both listen");

        // As the tunnels do, each tries until it is in; on a busy machine a login may take longer than sshd waits.
        await using var sixty = room.Start(
            _ => { }, "sh", "-c",
            $$"""
            for n in $(seq {{Sites}}); do
                while ! ssh -F none -i /root/key -p {{Port}} -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o BatchMode=yes -o ExitOnForwardFailure=yes \
                    -N -R 127.0.0.1:$((22001 + (n - 1) * 100)):127.0.0.1:9 site-s$n@127.0.0.1; do sleep 1; done &
            done
            wait
            """);
        await room.UntilAsync(async () => await ListenersAsync(room) == Sites, "all sixty have their port");
        Assert.DoesNotContain("MaxStartups", await room.DoAsync("cat /root/sshd.log"), StringComparison.Ordinal);
        await sixty.StopAsync();

        // Who has connected and not logged in yet is what sshd counts.
        Assert.Equal(Sites, await BannersAsync(room, Port));
        Assert.InRange(await BannersAsync(room, DefaultPort), 1, Sites - 1);
    }

    private static async Task PrepareAsync(HostRoom room)
    {
        var version = OpenSshVersion.Parse((await room.ShellAsync("ssh -V 2>&1")).Output);
        await room.DoAsync($"rm -f /etc/ssh/sshd_config.d/*; cat > {SshdDropIn.Path} <<'EOF'\n{SshdDropIn.Write(Settings, version!)}EOF");
        await room.DoAsync(
            $$"""
            for group in person site sync maintenance; do groupadd --system bastion-$group; done
            gid=$(getent group bastion-site | cut -d: -f3)
            mkdir -p /etc/bastion/keys; : > /etc/bastion/revoked_keys
            [ -e /etc/ssh/ssh_host_ed25519_key ] || ssh-keygen -A
            ssh-keygen -q -t ed25519 -N '' -C '' -f /root/key
            for n in $(seq {{Sites}}); do
                echo "site-s$n:x:$((40000 + n)):$gid::/nonexistent:/usr/sbin/nologin" >> /etc/passwd
                echo "site-s$n:*:20000:0:99999:7:::" >> /etc/shadow
                cp /root/key.pub /etc/bastion/keys/site-s$n
            done
            """);
    }

    private static async Task<int> ListenersAsync(HostRoom room) =>
        (await room.ShellAsync("ss -Hltn")).Output.Split('\n').Count(line => Enumerable.Range(1, Sites).Any(n => line.Contains($"127.0.0.1:{FirstPort(n)} ", StringComparison.Ordinal)));

    /// <summary>Sixty connections at once that do not log in: how many of them sshd greets.</summary>
    private static async Task<int> BannersAsync(HostRoom room, int port) => int.Parse(
        await room.DoAsync(
            $$"""
            bash -c '
                fds=()
                for n in $(seq {{Sites}}); do exec {fd}<>/dev/tcp/127.0.0.1/{{port}}; fds+=($fd); done
                greeted=0
                for fd in "${fds[@]}"; do
                    if read -r -t 60 line <&$fd && [[ $line == SSH-2.0-* ]]; then greeted=$((greeted + 1)); fi
                done
                echo $greeted'
            """),
        CultureInfo.InvariantCulture);

    private static string Label(int n) => $"s{n}";

    private static int FirstPort(int n) => 22001 + ((n - 1) * 100);
}
