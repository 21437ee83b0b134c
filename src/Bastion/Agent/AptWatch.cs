using Common.Logins;
using Common.Time;

namespace Bastion.Agent;

/// <summary>
/// Is a package operation running? A machine stopped in the middle of dpkg may not boot next time. Busy for at most 15 minutes: a
/// stuck apt must not keep the VM running for ever.
/// </summary>
internal sealed class AptWatch(TimeProvider time, string lockFile = AptWatch.FrontendLock, string locks = "/proc/locks")
{
    /// <summary>Held by apt, apt-get and unattended-upgrades for the whole of their work.</summary>
    public const string FrontendLock = "/var/lib/dpkg/lock-frontend";

    private static readonly TimeSpan LongestBusy = TimeSpan.FromMinutes(15);
    private readonly Lock _gate = new();

    /// <summary>Guarded by _gate; null while idle.</summary>
    private Instant? _busySince;

    public bool Idle
    {
        get
        {
            var busy = IsLocked();
            var now = Instant.Now(time);
            lock (_gate)
            {
                _busySince = busy ? _busySince ?? now : null;
                return _busySince is not { } since || now - since >= LongestBusy;
            }
        }
    }

    private bool IsLocked()
    {
        try
        {
            return FileIdentity.Of(lockFile) is { } file
                && ProcLocks.IsWriteLocked(File.ReadAllText(locks), file.DeviceMajor, file.DeviceMinor, file.Inode);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return true;   // not known: the time limit decides
        }
    }
}
