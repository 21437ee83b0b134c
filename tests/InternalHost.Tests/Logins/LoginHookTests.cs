using Common.Logins;
using InternalHost.Doctor;
using InternalHost.Logins;

namespace InternalHost.Tests.Logins;

public sealed class LoginHookTests : IDisposable
{
    private const string Stock = "#%PAM-1.0\n@include common-auth\nsession required pam_env.so\n@include common-session\n";
    private readonly DirectoryInfo _root = Directory.CreateTempSubdirectory("hook");
    private readonly List<string> _said = [];

    public LoginHookTests()
    {
        Directory.CreateDirectory(At("/etc/pam.d"));
        foreach (var service in (string[])["sshd", "su"])
        {
            File.WriteAllText(At($"/etc/pam.d/{service}"), Stock);
        }

        Directory.CreateDirectory(At("/var/spool"));
    }

    public void Dispose() => _root.Delete(recursive: true);

    [Fact]
    public async Task Line_stands_first_once_however_often_it_is_put_and_the_removal_gives_the_file_back()
    {
        Install();
        Assert.Null(await Hook().PutAsync(default));
        Assert.Null(await Hook().PutAsync(default));

        var lines = File.ReadAllLines(At("/etc/pam.d/sshd"));
        Assert.Equal("session optional pam_exec.so quiet type=open_session /usr/lib/internalhost/hook /var/spool/internalhost # internalhost", lines[1]);
        Assert.Single(lines, l => l.Contains("pam_exec", StringComparison.Ordinal));
        Assert.Contains("type=open_session seteuid /usr/lib", File.ReadAllText(At("/etc/pam.d/su")), StringComparison.Ordinal);
        Assert.Equal(2, _said.Count);

        Hook().Remove();
        Assert.Equal(Stock, File.ReadAllText(At("/etc/pam.d/sshd")));
    }

    [Fact]
    public async Task Without_the_hook_nothing_is_put() =>
        Assert.Contains("apt-get install --reinstall internalhost", await Hook().PutAsync(default), StringComparison.Ordinal);

    [Fact]
    public async Task Bastion_s_own_line_stays()
    {
        Install();
        File.WriteAllText(At("/etc/pam.d/sshd"), new PamHook("/usr/lib/bastion/hook", "# bastion").Put(Stock, "sshd"));
        await Hook().PutAsync(default);
        Hook().Remove();

        Assert.Contains("/usr/lib/bastion/hook # bastion", File.ReadAllText(At("/etc/pam.d/sshd")), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Doctor_warns_where_it_was_never_put_and_fails_where_it_was_taken_out()
    {
        Assert.Equal(Health.Warn, await HealthAsync());
        Install();
        await Hook().PutAsync(default);
        Assert.Equal(Health.Ok, await HealthAsync());

        File.WriteAllText(At("/etc/pam.d/sshd"), "session required pam_env.so\n" + File.ReadAllText(At("/etc/pam.d/sshd")));
        Assert.Equal(Health.Fail, await HealthAsync());
    }

    private async Task<Health> HealthAsync() => Assert.Single(await new LoginHookCheck(_root.FullName).RunAsync(default)).Verdict;

    private void Install()
    {
        Directory.CreateDirectory(At("/usr/lib/internalhost"));
        File.WriteAllText(At(LoginHookFiles.Program), "#!/bin/sh\n");
    }

    /// <summary>A folder of root's is not ours to make: an ordinary one does.</summary>
    private LoginHookFiles Hook() => new(
        (folder, _, _) =>
        {
            Directory.CreateDirectory(folder);
            return Task.FromResult<string?>(null);
        },
        _said.Add, _root.FullName);

    private string At(string path) => _root.FullName + path;
}
