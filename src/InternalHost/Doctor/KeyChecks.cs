using System.Collections.Immutable;
using System.Security.Cryptography;
using Common.Processes;
using InternalHost.Configuration;

namespace InternalHost.Doctor;

/// <summary>Our private key can be used without a person, and its public half is shown for the bastion.</summary>
internal sealed class TunnelKeyCheck(SiteOptions site, IProcessLauncher launcher) : IDoctorCheck
{
    public string Name => "tunnel key";

    public async Task<ImmutableArray<Finding>> RunAsync(CancellationToken ct)
    {
        var file = site.Bastion.KeyFile;
        try
        {
            var shown = await launcher.RunAsync(new ProcessSpec("ssh-keygen", ["-y", "-P", "", "-f", file]), ct);
            return shown.Ok
                ? [Finding.Ok(Name, $"{file} is {Pin.Fingerprint(shown.Output)}; the bastion's account {site.Bastion.User} must list: {Pin.WithoutComment(shown.Output)}")]
                : [Finding.Fail(Name, $"{file} cannot be used: {shown.Error.Split('\n')[0]}", $"ssh-keygen -t ed25519 -N '' -C '' -f {file}   (a key with a passphrase needs a person)")];
        }
        catch (ProcessStartException e)
        {
            return [Finding.CannotTell(Name, e.Message, "apt install openssh-client")];
        }
    }
}

/// <summary>The pins of both hops, as fingerprints to compare once.</summary>
internal sealed class PinCheck(SiteOptions site) : IDoctorCheck
{
    public string Name => "pins";

    public Task<ImmutableArray<Finding>> RunAsync(CancellationToken ct) => Task.FromResult<ImmutableArray<Finding>>(
    [
        Finding.Ok("bastion pin", $"{string.Join(", ", site.Bastion.HostKeys.Select(Pin.Fingerprint))}; compare with ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub there"),
        .. site.InnerHostKeyFiles.Select(Inner),
    ]);

    private static Finding Inner(string file)
    {
        try
        {
            return Finding.Ok("inner pin", $"{Pin.Fingerprint(File.ReadAllText(file))} ({file})");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or FormatException)
        {
            return Finding.Warn("inner pin", $"the host key of the sshd inside cannot be read: {e.Message}", "name its .pub file in inner_host_keys; ssh-config needs it");
        }
    }
}

internal static class Pin
{
    /// <summary>As ssh-keygen -l shows it: <c>SHA256:Jq3w...</c></summary>
    /// <exception cref="FormatException">Not a public key.</exception>
    public static string Fingerprint(string key) => key.Split(' ', StringSplitOptions.RemoveEmptyEntries) is [_, var blob, ..]
        ? $"SHA256:{Convert.ToBase64String(SHA256.HashData(Convert.FromBase64String(blob.Trim()))).TrimEnd('=')}"
        : throw new FormatException("not a public key");

    public static string WithoutComment(string key) => string.Join(' ', key.Trim().Split(' ').Take(2));
}
