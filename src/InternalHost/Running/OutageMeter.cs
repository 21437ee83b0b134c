using InternalHost.Failover;
using InternalHost.Tunnel;
using InternalHost.Wan;

namespace InternalHost.Running;

/// <summary>
/// Bytes over the backup since the present outage began: probes, names, cloud, alerts, and the tunnel. Not known (null) for an outage
/// that was taken up from the journal.
/// </summary>
internal sealed class OutageMeter(Func<UplinkBytes> total)
{
    private readonly Lock _gate = new();
    private int? _outage;
    private UplinkBytes _atBegin;
    private bool _first = true;

    /// <summary>Called at each change of the controller's state.</summary>
    public void Observe(FailoverState state)
    {
        lock (_gate)
        {
            if (state.Outage?.Number is { } number && number != _outage)
            {
                // The first state seen may be an outage that has been going on: its beginning was not counted.
                (_outage, _atBegin) = (_first ? -number : number, total());
            }

            _first = false;
        }
    }

    public UplinkBytes? Read(Outage? outage)
    {
        lock (_gate)
        {
            return outage is not null && outage.Number == _outage ? total() - _atBegin : null;
        }
    }
}
