namespace Bastion.Watch;

/// <summary>Reads what is watched. Needs no privilege.</summary>
internal sealed class HostLook(ConfigurationBaseline baseline, string stateDirectory, string timesync = "/run/systemd/timesync")
{
    public HostReading Read() => new(baseline.Drifted(), DiskFree(), ClockSynchronised());

    private double? DiskFree()
    {
        try
        {
            return ((string[])["/", stateDirectory, "/var/log"]).Where(Directory.Exists).Select(d => new DriveInfo(d)).Where(d => d.TotalSize > 0)
                .Min(d => (double)d.AvailableFreeSpace / d.TotalSize);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or InvalidOperationException)
        {
            return null;
        }
    }

    /// <summary>
    /// systemd-timesyncd says so by a file; the kernel's own word (adjtimex) is behind the unit's ProtectClock. Another daemon's: not known,
    /// which the audit, as root, finds out.
    /// </summary>
    private bool? ClockSynchronised() => Directory.Exists(timesync) ? File.Exists(Path.Combine(timesync, "synchronized")) : null;
}
