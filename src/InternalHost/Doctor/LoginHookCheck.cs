using System.Collections.Immutable;
using Common.Logins;
using InternalHost.Configuration;
using InternalHost.Logins;

namespace InternalHost.Doctor;

/// <summary>Whether logins to this host are seen by the hook, which nothing that a user writes can get round.</summary>
internal sealed class LoginHookCheck(string root = "") : IDoctorCheck
{
    private const string Put = "sudo internalhost login-hook && sudo systemctl restart internalhost";

    public string Name => "login hook";

    public Task<ImmutableArray<Finding>> RunAsync(CancellationToken ct)
    {
        var wanted = Directory.Exists($"{root}{LoginOptions.DefaultSpool}");
        var without = PamHook.Services.Where(s => File.Exists($"{root}/etc/pam.d/{s}") && !Stands(s)).ToList();
        return Task.FromResult<ImmutableArray<Finding>>(
        [
            without.Count == 0 ? Finding.Ok(Name, "logins to this host are seen by PAM's hook")
                : wanted ? Finding.Fail(Name, $"not the first session rule of {string.Join(", ", without.Select(s => $"/etc/pam.d/{s}"))}: logins there go unseen, or are told as critical", Put)
                : Finding.Warn(Name, "logins to this host are known from sshd's log only", Put),
        ]);
    }

    private bool Stands(string service) =>
        File.ReadLines($"{root}/etc/pam.d/{service}").FirstOrDefault(PamHook.IsSession) == LoginHookFiles.Pam.Line(service);
}
