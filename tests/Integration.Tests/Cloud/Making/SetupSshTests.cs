using System.Net;
using Common.Processes;
using InternalHost.Cloud.Local;
using InternalHost.Cloud.Making;
using Integration.Tests.Host;
using Testing;

namespace Integration.Tests.Cloud.Making;

/// <summary>
/// A new machine as a provider gives it (sshd, PAM and sudo, in a room of its own), set up over SSH: its host key replaced, the package
/// installed by apt-get, <c>bastion install</c> run. The package is a small one around the program of this build.
/// </summary>
public sealed class SetupSshTests : IAsyncLifetime
{
    private const Need Needed = Need.Root | Need.Sshd | Need.Ssh | Need.NetworkNamespaces | Need.Nft | Need.PamWorld;

    private static readonly MakingPatience Patience = new() { LookAgainAfter = TimeSpan.FromMilliseconds(100), Longest = TimeSpan.FromMinutes(3) };

    private readonly string _folder = Directory.CreateTempSubdirectory("setup-").FullName;
    private readonly SystemProcessLauncher _launcher = new(TimeProvider.System);
    private HostRoom _room = null!;
    private SetupSsh _shell = null!;
    private string _maintenanceKey = "";
    private string _hostKey = "";

    private static SeenMachine Machine => new("i-1", InternalHost.Cloud.InstanceState.Running, [IPAddress.Loopback]);

    public async Task InitializeAsync()
    {
        if (Needs.Missing(Needed) is not null)
        {
            return;
        }

        _maintenanceKey = (await SshKeygen.EnsurePairAsync(Path.Combine(_folder, "maintenance"), _launcher, default)).Line;
        _room = await HostRoom.OpenAsync();
        _hostKey = (await _room.DoAsync(
            $"""
            useradd -m -s /bin/bash admin && usermod -p '*' admin
            echo 'admin ALL=(ALL) NOPASSWD:ALL' > /etc/sudoers.d/90-admin && chmod 440 /etc/sudoers.d/90-admin
            install -d -o admin -m 700 ~admin/.ssh && echo '{_maintenanceKey}' > ~admin/.ssh/authorized_keys && chown admin ~admin/.ssh/authorized_keys
            rm -f /etc/ssh/sshd_config.d/* /etc/ssh/ssh_host_*
            ssh-keygen -q -t ed25519 -N '' -C '' -f /etc/ssh/ssh_host_ed25519_key
            printf '{string.Join("\\n", SshdFile())}\n' > {UserData.SshdFile}
            /usr/sbin/sshd
            cat /etc/ssh/ssh_host_ed25519_key.pub
            """)).Trim();
        _shell = new SetupSsh(_room.Network, Path.Combine(_folder, "maintenance"), _folder, Patience, TimeProvider.System);
    }

    public async Task DisposeAsync()
    {
        if (_room is not null)
        {
            await _room.DisposeAsync();
        }

        Directory.Delete(_folder, recursive: true);
    }

    [NeedsFact(Needed)]
    public async Task New_machine_becomes_a_bastion_over_ssh()
    {
        var target = new SetupTarget(Machine.Addresses, [49_022, 443], [_hostKey], ["admin"]);
        Assert.False((await _room.ShellAsync("grep -q ':0016 ' /proc/net/tcp")).Ok);   // nobody listens on port 22
        Assert.Equal(_hostKey, await _shell.OfferedAsync(target, default));

        // The host key of the first contact is replaced; whoever asks twice is told the same.
        var next = (await _shell.RunAsync(target, SetupScript.NewHostKey, default, _ => { }, default)).Trim();
        Assert.Equal(next, (await _shell.RunAsync(target, SetupScript.NewHostKey, default, _ => { }, default)).Trim());
        Assert.NotEqual(_hostKey, next);
        await _shell.RunAsync(target with { HostKeys = [next, _hostKey] }, SetupScript.UseNewHostKey, default, _ => { }, default);
        await _room.UntilAsync(async () => await _shell.OfferedAsync(target, default) == next, "the new host key is in use");
        await _shell.RunAsync(target with { HostKeys = [next] }, SetupScript.UseNewHostKey, default, _ => { }, default);
        var other = await Assert.ThrowsAsync<MakingException>(() => _shell.RunAsync(target, "true", default, _ => { }, default));
        Assert.Contains("shows another host key", other.Message);

        var said = new List<string>();
        var siteKey = (await SshKeygen.EnsurePairAsync(Path.Combine(_folder, "site"), _launcher, default)).Line;
        var wish = new MakingWish("home", "eu-central-1", ["t3.nano"], [49_022, 443], _maintenanceKey);
        var setup = new MachineSetup(_shell, wish, 22_001, siteKey, await PackageAsync(), "admin", said.Add);
        var notes = new MakingNotes("ec2", "home", "eu-central-1") { HostKeys = [next] };

        await setup.InstallAsync(Machine, notes, default);

        Assert.Contains(said, l => l.Contains("a second login as maintenance worked", StringComparison.Ordinal));
        Assert.Contains("home", await _room.DoAsync("cat /etc/bastion/host.yaml"), StringComparison.Ordinal);
        Assert.Contains(siteKey.Split(' ')[1], await _room.DoAsync("cat /etc/bastion/keys/site-home"), StringComparison.Ordinal);
        Assert.False((await _room.ShellAsync("test -e /var/lib/bastion-setup")).Ok);
        said.Clear();
        await setup.InstallAsync(Machine, notes, default);   // admin is shut out by now
        Assert.Contains("nothing to change", said);
    }

    [NeedsFact(Needed)]
    public async Task Script_that_fails_and_a_key_that_nobody_knows_are_told()
    {
        var target = new SetupTarget(Machine.Addresses, [49_022], [_hostKey], ["admin"]);

        var failed = await Assert.ThrowsAsync<MakingException>(() => _shell.RunAsync(target, "echo it is full >&2; exit 3", default, _ => { }, default));
        Assert.Contains("it ended with 3: it is full", failed.Message);

        await SshKeygen.EnsurePairAsync(Path.Combine(_folder, "stranger"), _launcher, default);
        var stranger = new SetupSsh(_room.Network, Path.Combine(_folder, "stranger"), _folder, Patience with { Longest = TimeSpan.Zero }, TimeProvider.System);
        var denied = await Assert.ThrowsAsync<MakingException>(() => stranger.RunAsync(target, "true", default, _ => { }, default));
        Assert.Contains("Permission denied", denied.Message);
        Assert.Equal("input", await _shell.RunAsync(target, "cat", "input"u8.ToArray(), _ => { }, default));
    }

    /// <summary>What cloud-init would have written at the first boot.</summary>
    private static IEnumerable<string> SshdFile() => UserData.Render([49_022, 443], null).Split('\n')
        .SkipWhile(l => !l.Contains(UserData.SshdFile, StringComparison.Ordinal)).SkipWhile(l => !l.EndsWith("content: |", StringComparison.Ordinal)).Skip(1)
        .TakeWhile(l => l.StartsWith("      ", StringComparison.Ordinal)).Select(l => l.Trim());

    private async Task<string> PackageAsync()
    {
        var stage = Path.Combine(_folder, "stage");
        var program = Path.Combine(AppContext.BaseDirectory, "bastion.dll");
        foreach (var (path, text, mode) in new[]
        {
            ("DEBIAN/control", "Package: bastion\nVersion: 0.1.0\nArchitecture: amd64\nMaintainer: The Bastion authors <bastion@localhost>\nDescription: of the lab\n", "644"),
            ("usr/bin/bastion", $"#!/bin/sh\nexec {Needs.Find("dotnet")} {program} \"$@\"\n", "755"),
            ("usr/lib/bastion/hook", "#!/bin/sh\nexit 0\n", "755"),
        })
        {
            var file = Path.Combine(stage, path);
            Directory.CreateDirectory(Path.GetDirectoryName(file)!);
            await File.WriteAllTextAsync(file, text);
            File.SetUnixFileMode(file, (UnixFileMode)Convert.ToInt32(mode, 8));
        }

        var package = Path.Combine(_folder, "bastion_0.1.0_amd64.deb");
        var built = await _launcher.RunAsync(new ProcessSpec("sh", ["-c", $"chmod -R go+rX,go-w {stage} && dpkg-deb --root-owner-group --build {stage} {package}"]), default);
        Assert.True(built.Ok, built.Error);
        return package;
    }
}
