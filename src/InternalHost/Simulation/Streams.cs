using InternalHost.Wan.Detection;

namespace InternalHost.Simulation;

/// <summary>A stream of chance for each part of the world: who draws more often, or at another moment, moves nobody else's draws.</summary>
internal sealed class Streams
{
    private readonly Chance[] _all = [.. Enumerable.Range(0, 11).Select(_ => new Chance(0))];

    public Streams(ulong seed) => Reseed(seed);

    /// <summary>How long a killed daemon stays away.</summary>
    public Chance Restart => _all[2];

    /// <summary>What the provider's machines do by themselves.</summary>
    public Chance Provider => _all[3];

    /// <summary>What becomes of calls to the provider.</summary>
    public Chance Api => _all[4];

    public Chance Tunnel => _all[5];

    public Chance Agent => _all[6];

    public Chance Gateway => _all[7];

    /// <summary>The daemon's own jitter, by who asks for it.</summary>
    public Chance Inbox => _all[8];

    public Chance Outbox => _all[9];

    public Chance Redial => _all[10];

    /// <summary>Which packets an uplink loses.</summary>
    public Chance LineOf(UplinkName uplink) => _all[uplink == UplinkName.Primary ? 0 : 1];

    /// <summary>Each scene has its own: what was drawn before it does not matter.</summary>
    public void Reseed(ulong seed)
    {
        for (var i = 0; i < _all.Length; i++)
        {
            _all[i].Reseed(Chance.Derive(seed, (ulong)(1 + i)));
        }
    }
}
