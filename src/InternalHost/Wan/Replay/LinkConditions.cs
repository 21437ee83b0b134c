using Common;
using InternalHost.Wan.Detection;

namespace InternalHost.Wan.Replay;

/// <summary>How one uplink treats the probes of each witness, and the chance that decides about each. The same seed draws the same.</summary>
[PureCore]
internal sealed class LinkConditions
{
    private static readonly TimeSpan UsualRtt = TimeSpan.FromMilliseconds(30);

    private readonly Target[] _targets = new Target[(int)Enum.GetValues<WitnessName>().Max() + 1];

    private struct Target
    {
        public double Loss;
        public TimeSpan Rtt;
        public bool Impostor;
        public ulong Chance;
    }

    public LinkConditions(ulong seed)
    {
        for (var i = 0; i < _targets.Length; i++)
        {
            // A chance of its own for each: what one target suffers does not change another's fortune.
            _targets[i] = new Target { Rtt = UsualRtt, Chance = Mix(seed + ((ulong)i * 0x9E3779B97F4A7C15)) | 1 };
        }
    }

    /// <summary>Nothing at all passes, whatever the targets' own losses are.</summary>
    public bool Cut { get; set; }

    /// <summary>Our packets leave by the other uplink: the public address that they show is that one's.</summary>
    public bool LeavesByOther { get; set; }

    /// <summary>Probability that a probe is lost.</summary>
    public void Loss(WitnessName witness, double loss) => _targets[(int)witness].Loss = loss;

    /// <summary>How long an answer takes; longer than the probe's timeout is a loss.</summary>
    public void Rtt(WitnessName witness, TimeSpan rtt) => _targets[(int)witness].Rtt = rtt;

    /// <summary>Somebody else answers in its place: a portal, or a resolver that lies.</summary>
    public void Impostor(WitnessName witness, bool impostor) => _targets[(int)witness].Impostor = impostor;

    public void All(Action<LinkConditions, WitnessName> change)
    {
        for (var i = 1; i < _targets.Length; i++)
        {
            change(this, (WitnessName)i);
        }
    }

    /// <summary>What becomes of a probe that leaves now, and after how long that is known.</summary>
    public (ProbeOutcome Outcome, TimeSpan After) Send(in ProbeRequest request)
    {
        ref var target = ref _targets[(int)request.Witness];
        return Cut || target.Rtt > request.Timeout || Draws(ref target)
            ? (ProbeOutcome.Lost, request.Timeout)
            : (Answer(request, request.Witness == WitnessName.Egress ? LeavesByOther : target.Impostor), target.Rtt);
    }

    private static ProbeOutcome Answer(in ProbeRequest request, bool impostor) => request.Witness switch
    {
        WitnessName.TlsA or WitnessName.TlsB when request.Full => impostor ? ProbeOutcome.Refuted : ProbeOutcome.Authenticated,
        WitnessName.Bastion => impostor ? ProbeOutcome.Refuted : ProbeOutcome.Authenticated,
        WitnessName.Http or WitnessName.Egress => impostor ? ProbeOutcome.Refuted : ProbeOutcome.Answered,
        WitnessName.IspDns or WitnessName.DnsA or WitnessName.DnsB when request.RandomLabel => impostor ? ProbeOutcome.Refuted : ProbeOutcome.Answered,
        _ => ProbeOutcome.Answered,
    };

    private static bool Draws(ref Target target)
    {
        if (target.Loss is <= 0 or >= 1)
        {
            return target.Loss >= 1;
        }

        target.Chance ^= target.Chance << 13;
        target.Chance ^= target.Chance >> 7;
        target.Chance ^= target.Chance << 17;
        return (target.Chance >> 11) * (1.0 / (1UL << 53)) < target.Loss;
    }

    /// <summary>SplitMix64: neighbouring seeds give unlike streams.</summary>
    private static ulong Mix(ulong z)
    {
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
        return z ^ (z >> 31);
    }
}
