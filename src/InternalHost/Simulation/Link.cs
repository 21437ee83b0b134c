using InternalHost.Wan.Detection;

namespace InternalHost.Simulation;

/// <summary>The truth about one uplink: how it treats each kind of question now.</summary>
internal sealed class Link
{
    private const int Witnesses = 16;

    private readonly double[] _loss = new double[Witnesses];
    private Condition? _condition;

    /// <summary>The share of questions lost, by <see cref="WitnessName"/>.</summary>
    public ReadOnlySpan<double> Loss => _loss;

    public TimeSpan Rtt { get; set => (field, _condition) = (value, null); }

    /// <summary>A portal answers in the place of the world.</summary>
    public bool Portal { get; set => (field, _condition) = (value, null); }

    /// <summary>Every resolver lies.</summary>
    public bool Hijack { get; set => (field, _condition) = (value, null); }

    /// <summary>It leaves by the other uplink: a router fell over.</summary>
    public bool ByOther { get; set => (field, _condition) = (value, null); }

    public bool Carrier { get; set => (field, _condition) = (value, null); }

    public bool Path { get; set => (field, _condition) = (value, null); }

    /// <summary>The answer comes, but after the question has been given up.</summary>
    public TimeSpan? IsLate(in ProbeRequest request) =>
        Rtt > request.Timeout && Rtt < GivenUp && Path && Carrier && Loss[(int)request.Witness] < 1 ? Rtt : null;

    /// <summary>Real traffic passes, well enough for a call.</summary>
    public bool Works => Now.Works;

    /// <summary>Nothing passes at all, by nobody's doing but the line's.</summary>
    public bool Dark => Now.Dark;

    public bool Clean => Now.Clean;

    /// <summary>Nothing is left to chance: the same question always gets the same answer.</summary>
    public bool Certain => Array.TrueForAll(_loss, l => l is 0 or 1);

    private static readonly TimeSpan GivenUp = TimeSpan.FromSeconds(6);
    private static readonly TimeSpan Fast = TimeSpan.FromMilliseconds(30);

    public void Mend()
    {
        Array.Clear(_loss);
        Rtt = Fast;
        Portal = Hijack = ByOther = false;
        Carrier = Path = true;
    }

    public void Lose(double share)
    {
        for (var w = 0; w < Witnesses; w++)
        {
            Lose((WitnessName)w, share);
        }
    }

    public void Lose(WitnessName witness, double share) => SetLoss(witness, Math.Max(_loss[(int)witness], share));

    public void SetLoss(WitnessName witness, double share) => (_loss[(int)witness], _condition) = (share, null);

    /// <summary>Asked after every step, and changed only by faults: worked out once for each change.</summary>
    private Condition Now
    {
        get
        {
            if (_condition is not { } known)
            {
                var works = !Portal && Path && Carrier && _loss[(int)WitnessName.TlsA] < 0.7 && _loss[(int)WitnessName.DnsA] < 0.7;
                _condition = known = new Condition(
                    works,
                    Dark: !Path || !Carrier || Array.TrueForAll(_loss, l => l >= 1),
                    Clean: works && !ByOther && !Hijack && Rtt <= Fast && Array.TrueForAll(_loss, l => l == 0));
            }

            return known;
        }
    }

    private readonly record struct Condition(bool Works, bool Dark, bool Clean);

    /// <summary>What becomes of one question, and after how long it is known. The public address is known at once, so that the next look at it keeps its minute.</summary>
    public (ProbeOutcome Outcome, TimeSpan After) Answer(in ProbeRequest request, Chance chance)
    {
        var loss = Path && Carrier ? Loss[(int)request.Witness] : 1;
        var lost = loss >= 1 || (loss > 0 && chance.Hit(loss));
        if (lost || Rtt > request.Timeout)
        {
            return (ProbeOutcome.Lost, request.Timeout);
        }

        return (request.Witness switch
        {
            WitnessName.TlsA or WitnessName.TlsB when request.Full => Portal ? ProbeOutcome.Refuted : ProbeOutcome.Authenticated,
            WitnessName.Bastion or WitnessName.Lan => Portal ? ProbeOutcome.Refuted : ProbeOutcome.Authenticated,
            WitnessName.Http => Portal ? ProbeOutcome.Refuted : ProbeOutcome.Answered,
            WitnessName.Egress => ByOther ? ProbeOutcome.Refuted : ProbeOutcome.Answered,
            _ when request.RandomLabel => Portal || Hijack ? ProbeOutcome.Refuted : ProbeOutcome.Answered,
            _ => ProbeOutcome.Answered,
        }, request.Witness == WitnessName.Egress ? TimeSpan.Zero : Rtt);
    }
}
