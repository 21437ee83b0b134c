using System.Collections.Immutable;
using System.Net.Sockets;
using Common;
using Common.Time;

namespace InternalHost.Wan.Detection;

/// <summary>
/// An uplink that carries IPv4 and IPv6: each witness is asked by both in turn, so that one family lost is neither taken for an outage
/// (all that worked must be dark) nor overlooked (DESIGN 4, research/pitfalls.md P12). A family that is lost, or never worked, is
/// asked now and then only.
/// </summary>
[PureCore]
internal sealed class FamilyWatch
{
    private const int LostLosses = 8;
    private const int BackAnswers = 3;
    private static readonly TimeSpan CheckEvery = TimeSpan.FromSeconds(10);

    private readonly Family[] _families;
    private readonly TimeSpan _lostAfter;
    private Instant _nextCheck;

    private struct Family
    {
        public AddressFamily Name;
        public bool InUse;
        public bool Worked;
        public int Losses;
        public int Answers;
        public Instant? FirstLoss;
        public Instant? LastAnswered;
    }

    public FamilyWatch(ImmutableArray<WitnessFamily> known, TimeSpan lostAfter)
    {
        var names = known.Select(k => k.Family).Distinct().Order().ToArray();
        _families = names.Length == 2 ? [.. names.Select(n => new Family { Name = n, InUse = true })] : [];
        _lostAfter = lostAfter;
    }

    /// <summary>There are two, and they are told apart.</summary>
    public bool IsOn => _families.Length > 0;

    /// <summary>One that worked no longer does, while the other is alive.</summary>
    public bool IsOneLost => Array.Exists(_families, f => f.Worked && !f.InUse);

    /// <summary>Each family that is relied on has answered a probe sent since then.</summary>
    public bool AllAnsweredSince(Instant since)
    {
        foreach (ref readonly var family in _families.AsSpan())
        {
            if (family.Worked && family.InUse && !(family.LastAnswered >= since))
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>The family to ask a witness by.</summary>
    /// <param name="turn">Even or odd: the two in turn.</param>
    public AddressFamily Next(WitnessTrack track, int turn)
    {
        if (!IsOn || track.Families.IsEmpty)
        {
            return AddressFamily.Unspecified;
        }

        if (track.Families.Length == 1)
        {
            return track.Families[0];
        }

        var first = _families[0].InUse;
        return _families[!first ? 1 : !_families[1].InUse ? 0 : turn & 1].Name;
    }

    public bool IsInUse(AddressFamily name) => name == AddressFamily.Unspecified || !IsOn || Of(name).InUse;

    /// <summary>The family that is not relied on, if it is time to look at it again.</summary>
    public AddressFamily TakeCheck(Instant now)
    {
        foreach (ref readonly var family in _families.AsSpan())
        {
            if (!family.InUse && now >= _nextCheck)
            {
                _nextCheck = now + CheckEvery;
                return family.Name;
            }
        }

        return AddressFamily.Unspecified;
    }

    /// <summary>The uplink is up: a family that has not answered yet is not waited for.</summary>
    public void OnUp()
    {
        foreach (ref var family in _families.AsSpan())
        {
            family.InUse &= family.Worked;
        }
    }

    public void OnAnswer(AddressFamily name, Instant sent)
    {
        if (name == AddressFamily.Unspecified || !IsOn)
        {
            return;
        }

        ref var family = ref Of(name);
        family.LastAnswered = family.LastAnswered > sent ? family.LastAnswered : sent;
        family.Losses = 0;
        family.FirstLoss = null;
        family.Answers = Math.Min(family.Answers + 1, BackAnswers);
        family.InUse |= !family.Worked || family.Answers >= BackAnswers;
        family.Worked = true;
    }

    /// <summary>A miss counts against its family only while the other one is alive: else the whole uplink is dark.</summary>
    public void OnLoss(AddressFamily name, Instant sent)
    {
        if (name == AddressFamily.Unspecified || !IsOn)
        {
            return;
        }

        ref var family = ref Of(name);
        ref readonly var other = ref _families[_families[0].Name == name ? 1 : 0];
        family.Answers = 0;
        if (!(other.LastAnswered >= sent - AliveSpell.Fresh))
        {
            family.Losses = 0;
            family.FirstLoss = null;
            return;
        }

        family.Losses++;
        family.FirstLoss ??= sent;
        if (family.Losses >= LostLosses && sent - family.FirstLoss.Value >= _lostAfter)
        {
            family.InUse = false;
        }
    }

    private ref Family Of(AddressFamily name) => ref _families[_families[0].Name == name ? 0 : 1];
}
