using System.Collections.Immutable;
using InternalHost.Configuration;

namespace InternalHost.Doctor;

/// <summary>The state directory can be written, and has room for a bad day's journal.</summary>
internal sealed class StateDirectoryCheck(SiteOptions site) : IDoctorCheck
{
    private const long LeastFree = 100_000_000;

    public string Name => "state directory";

    public Task<ImmutableArray<Finding>> RunAsync(CancellationToken ct) => Task.FromResult<ImmutableArray<Finding>>([Judge(site.StateDirectory)]);

    private Finding Judge(string directory)
    {
        if (!Directory.Exists(directory))
        {
            return Finding.CannotTell(Name, $"{directory} is not there yet: the daemon makes it at its first start");
        }

        try
        {
            var probe = Path.Combine(directory, $".doctor-{Guid.NewGuid():N}");
            File.WriteAllBytes(probe, new byte[4096]);
            File.Delete(probe);
        }
        catch (UnauthorizedAccessException)
        {
            return Finding.CannotTell(Name, $"this user may not write to {directory}", "run it as the service's user: sudo -u internalhost internalhost doctor");
        }
        catch (IOException e)
        {
            return Finding.Fail(Name, $"{directory} cannot be written: {e.Message}", "is the disk or card full, or dying? df -h; dmesg");
        }

        var free = new DriveInfo(directory).AvailableFreeSpace;
        return free < LeastFree ? Finding.Warn(Name, $"{directory} has {free / 1_000_000} MB left", "make room: at least 100 MB") : Finding.Ok(Name, $"{directory} can be written, {free / 1_000_000_000.0:0.#} GB free");
    }
}

/// <summary>Secrets are where they belong; that others cannot read them was checked with the configuration.</summary>
internal sealed class SecretCheck(SiteOptions site) : IDoctorCheck
{
    public string Name => "secrets";

    public Task<ImmutableArray<Finding>> RunAsync(CancellationToken ct) => Task.FromResult<ImmutableArray<Finding>>(
    [
        site.Messages.Sms is { } sms ? Finding.Ok(Name, $"{sms.SecretFile} is there, mode {SecretFiles.Octal(File.GetUnixFileMode(sms.SecretFile))}")
            : Finding.Warn("messages", "no channel: nobody would be told of an outage", "add messages.sms"),
        Finding.Ok("key file", $"{site.Bastion.KeyFile}, mode {SecretFiles.Octal(File.GetUnixFileMode(site.Bastion.KeyFile))}"),
    ]);
}
