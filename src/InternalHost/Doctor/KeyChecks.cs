using System.Collections.Immutable;
using Common.Processes;
using InternalHost.Configuration;
using InternalHost.Pins;

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
                ? [Finding.Ok(Name, $"{file} is {HostKey.Fingerprint(shown.Output)}; the bastion's account {site.Bastion.User} must list: {HostKey.WithoutComment(shown.Output)}")]
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
        .. PinFile.Of(site.Bastion).Select(Outer),
        .. site.InnerHostKeyFiles.Select(Inner),
    ]);

    private static Finding Outer(Pin pin) => pin.Source switch
    {
        PinSource.OneTime => Finding.Warn("bastion pin", $"{pin.Fingerprint} is a one-time key ({PinText.Say(pin)})", "make the VM one of its own: internalhost cloud create goes on where it stopped"),
        PinSource.Hand => Finding.Ok("bastion pin", $"{pin.Fingerprint} ({PinText.Say(pin)}); compare with ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub there"),
        _ => Finding.Ok("bastion pin", $"{pin.Fingerprint} ({PinText.Say(pin)}{(pin.Next ? ", next" : "")})"),
    };

    private static Finding Inner(string file)
    {
        try
        {
            return Finding.Ok("inner pin", $"{HostKey.Fingerprint(File.ReadAllText(file))} ({file})");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or FormatException)
        {
            return Finding.Warn("inner pin", $"the host key of the sshd inside cannot be read: {e.Message}", "name its .pub file in inner_host_keys; ssh-config needs it");
        }
    }
}
