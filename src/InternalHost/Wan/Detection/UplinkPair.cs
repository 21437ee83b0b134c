using Common;
using Common.Time;

namespace InternalHost.Wan.Detection;

/// <summary>
/// The two uplinks' detectors and what they know of each other: a fault that darkens both in one second is nearer to us than to
/// them, and the backup is asked at once while the primary is dark, so that it is proven before the verdict. Pure: the daemon and
/// a replay drive the same object.
/// </summary>
[PureCore]
internal sealed class UplinkPair
{
    /// <summary>A metered link may have to wake up before it answers.</summary>
    private static readonly TimeSpan ProofGrace = TimeSpan.FromSeconds(2);

    /// <summary>A proven backup has answered one of the last few probes.</summary>
    private static readonly TimeSpan ProofPatience = TimeSpan.FromSeconds(3);

    private readonly UplinkDetector _backup;

    private bool _wanted;
    private bool _primaryLeavesByBackup;
    private Instant _attentiveSince;

    public UplinkPair(DetectorOptions primary, DetectorOptions backup, Instant start)
    {
        Primary = primary.Observe.IsEmpty
            ? new UplinkDetector(primary with { HasOther = true }, start)
            : new ObservedUplink(primary with { HasOther = true }, start);
        _backup = new UplinkDetector(backup with { HasOther = true }, start);
    }

    public Detector Primary { get; }

    public Detector Backup => _backup;

    /// <summary>When either was first heard again after a silence; null: neither ever.</summary>
    public Instant? Returned => Primary.Returned > Backup.Returned || Backup.Returned is null ? Primary.Returned : Backup.Returned;

    public Instant NextWake => Instant.Min(Primary.NextWake, Backup.NextWake);

    public Detector this[UplinkName name] => name == UplinkName.Primary ? Primary : Backup;

    /// <summary>
    /// The guard: at rest the backup's "yes" is minutes old. From the moment that it matters it holds only while the backup answers.
    /// </summary>
    public Usable UsableNow(UplinkName name, Instant at)
    {
        var usable = this[name].Current.Usable;
        var stale = name == UplinkName.Backup && Backup.Attentive
            && at - _attentiveSince >= ProofGrace && !(Backup.LastAnswered >= at - _backup.AskedEvery - ProofPatience);
        return usable == Usable.Yes && stale ? Usable.Unknown : usable;
    }

    /// <summary>Somebody outside needs the backup's state at once: a tunnel is wanted and down.</summary>
    public void Want(Instant at, bool wanted)
    {
        _wanted = wanted;
        Exchange(at);
    }

    public void Tick(Instant at)
    {
        if (at >= Primary.NextWake)
        {
            Primary.Tick(at);
        }

        if (at >= Backup.NextWake)
        {
            Backup.Tick(at);
        }

        Exchange(at);
    }

    public void Result(UplinkName name, in ProbeResult result)
    {
        this[name].Result(result);
        Exchange(result.At);
    }

    public void Late(Instant at, TimeSpan by)
    {
        Primary.Late(at, by);
        Backup.Late(at, by);
        Exchange(at);
    }

    public void Carrier(UplinkName name, Instant at, bool up)
    {
        this[name].Carrier(at, up);
        Exchange(at);
    }

    public void Path(UplinkName name, Instant at, PathState path)
    {
        this[name].Path(at, path);
        Exchange(at);
    }

    public void AddressChanged(UplinkName name, Instant at)
    {
        this[name].AddressChanged(at);
        Exchange(at);
    }

    /// <summary>Our own bastion was heard by this uplink: bytes from it, or a loop probe that came back.</summary>
    public void Passive(UplinkName name, Instant at)
    {
        this[name].Passive(at);
        Exchange(at);
    }

    /// <summary>Our own bastion runs, or no longer: only then is it a witness.</summary>
    public void SetBastion(Instant at, bool runs)
    {
        Primary.SetBastion(at, runs);
        Backup.SetBastion(at, runs);
        Exchange(at);
    }

    private void Exchange(Instant at)
    {
        var attentive = _wanted || Primary.NeedsOther(at)
            || (Primary.Current.Usable == Usable.No && Backup.Current.Usable != Usable.Yes);
        if (attentive != Backup.Attentive)
        {
            _attentiveSince = at;
            Backup.SetAttentive(at, attentive);
        }

        // Each cannot leave by the other: what is found of the primary stands (I9), and clears the backup.
        if (!Primary.IsQuiet)
        {
            Primary.Other(at, Backup.AsOther with { LeavesByUs = false });
        }

        var primary = Primary.AsOther;
        if (!Backup.IsQuiet || primary.LeavesByUs != _primaryLeavesByBackup)
        {
            _primaryLeavesByBackup = primary.LeavesByUs;
            Backup.Other(at, primary);
        }
    }
}
