using InternalHost.Configuration;
using InternalHost.Tunnel;

namespace InternalHost.Tests.Tunnel;

public sealed class SshCommandLineTests
{
    private static readonly BastionOptions Bastion = new(
        CloudKind.Static, [49022, 443], "site-home", "/etc/internalhost/key", ["ssh-ed25519 AAAA", "ecdsa-sha2-nistp256 BBBB"],
        "bastion-home", 22000, 22014, null, null, null, TunnelProfile.Serving);

    [Fact]
    public void Master_is_this_and_nothing_else()
    {
        var arguments = SshCommandLine.Master(Bastion, "/run/internalhost/ssh/ab1.s", "/run/internalhost/ssh/known_hosts", "'/usr/bin/internalhost' 'handover' '/run/h'", "aes128-gcm@openssh.com");

        Assert.Equal(
            """
            -M -S /run/internalhost/ssh/ab1.s -N -T -v -F none -i /etc/internalhost/key
            -o HostKeyAlias=bastion-home
            -o UserKnownHostsFile=/run/internalhost/ssh/known_hosts
            -o GlobalKnownHostsFile=none
            -o StrictHostKeyChecking=yes
            -o UpdateHostKeys=no
            -o VerifyHostKeyDNS=no
            -o CheckHostIP=no
            -o BatchMode=yes
            -o IdentitiesOnly=yes
            -o IdentityAgent=none
            -o PreferredAuthentications=publickey
            -o ForwardAgent=no
            -o ForwardX11=no
            -o PermitLocalCommand=no
            -o ControlPersist=no
            -o StreamLocalBindUnlink=yes
            -o ConnectionAttempts=1
            -o ConnectTimeout=8
            -o ServerAliveInterval=5
            -o ServerAliveCountMax=2
            -o TCPKeepAlive=yes
            -o IPQoS=cs0
            -o Ciphers=aes128-gcm@openssh.com
            -o Compression=no
            -o ProxyCommand='/usr/bin/internalhost' 'handover' '/run/h'
            -o ProxyUseFdpass=yes
            -l site-home bastion-home
            """.ReplaceLineEndings(" "),
            string.Join(' ', arguments));
    }

    [Theory]
    [InlineData(TunnelProfile.Serving, 5, 2)]
    [InlineData(TunnelProfile.Metered, 20, 3)]
    [InlineData(TunnelProfile.Fast, 3, 1)]
    public void Profile_sets_the_keepalive(TunnelProfile profile, int interval, int count)
    {
        var arguments = SshCommandLine.Master(Bastion with { Profile = profile }, "/c", "/k", "p", "c");

        Assert.Contains($"ServerAliveInterval={interval}", arguments);
        Assert.Contains($"ServerAliveCountMax={count}", arguments);
    }

    [Theory]
    [InlineData("192.168.1.10:22", "127.0.0.1:22003:192.168.1.10:22")]
    [InlineData("nas.lan:443", "127.0.0.1:22003:nas.lan:443")]
    [InlineData("fd00::1:22", "127.0.0.1:22003:[fd00::1]:22")]
    [InlineData("[fd00::1]:22", "127.0.0.1:22003:[fd00::1]:22")]
    [InlineData("/run/internalhost/loop.l", "127.0.0.1:22003:/run/internalhost/loop.l")]
    public void Forward_listens_on_the_loopback_of_the_bastion_only(string target, string expected)
    {
        var forward = new RemoteForward("x", 22003, target);

        Assert.Equal($"-F none -S /c -O forward -R {expected} bastion-home", string.Join(" ", SshCommandLine.Forward(Bastion, "/c", forward)));
        Assert.Equal($"-F none -S /c -O cancel -R {expected} bastion-home", string.Join(" ", SshCommandLine.Cancel(Bastion, "/c", forward)));
    }

    [Fact]
    public void Control_clients_ask_for_one_thing()
    {
        Assert.Equal("-F none -S /c -O check bastion-home", string.Join(" ", SshCommandLine.Check(Bastion, "/c")));
        Assert.Equal("-F none -S /c -O exit bastion-home", string.Join(" ", SshCommandLine.Exit(Bastion, "/c")));
        Assert.Equal("-F none -S /c -O forward -L /r/1-22014.d:127.0.0.1:22014 bastion-home", string.Join(" ", SshCommandLine.Direct(Bastion, "/c", "/r/1-22014.d", 22014)));
    }

    [Fact]
    public void Paths_with_percent_quotes_and_blanks_reach_ssh_and_the_shell_as_they_are()
    {
        var arguments = SshCommandLine.Master(Bastion with { KeyFile = "/a%b/key" }, "/c%d/1.s", "/my folder/known%hosts", "p", "c");

        Assert.Contains("/a%%b/key", arguments);
        Assert.Contains("/c%%d/1.s", arguments);
        Assert.Contains("UserKnownHostsFile=\"/my folder/known%%hosts\"", arguments);
        Assert.Equal(@"'/o'\''b in/x%%' 'handover' '/r'", SshCommandLine.ProxyCommand(["/o'b in/x%", "handover", "/r"]));
    }

    [Fact]
    public void Known_hosts_files_each_pin_under_the_alias() =>
        Assert.Equal("bastion-home ssh-ed25519 AAAA\nbastion-home ecdsa-sha2-nistp256 BBBB\n", SshCommandLine.KnownHosts(Bastion, Bastion.HostKeys));

    [Theory]
    [InlineData("processor\t: 0\nflags\t\t: fpu vme aes avx2\n", true)]
    [InlineData("processor\t: 0\nFeatures\t: fp asimd evtstrm aes pmull\n", true)]
    [InlineData("processor\t: 0\nFeatures\t: fp asimd evtstrm crc32 cpuid\nmodel name\t: aes\n", false)]
    [InlineData("flags\t\t: fpu vaes\n", false)]
    [InlineData("", false)]
    public void Cipher_is_chosen_by_the_instructions_of_the_processor(string cpuInfo, bool aes) =>
        Assert.StartsWith(aes ? "aes128-gcm@openssh.com," : "chacha20-poly1305@openssh.com,", CpuCipher.Choose(cpuInfo), StringComparison.Ordinal);
}
