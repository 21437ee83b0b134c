using System.Net.Sockets;
using Common.Time;
using InternalHost.Wan.Detection;

namespace InternalHost.Tests.Wan;

/// <summary>
/// Two uplinks whose witnesses answer or stay silent by a script, played through the real pair of detectors in virtual time. Losses
/// are drawn from a seeded generator; a lost probe is told at its timeout, as the prober does. Times are seconds since the start.
/// </summary>
internal sealed class ScriptedWorld
{
    private static readonly Instant Origin = new(TimeSpan.FromDays(1).Ticks);
    private static readonly WitnessName[] Everyone = Enum.GetValues<WitnessName>();

    private readonly PriorityQueue<(UplinkName Uplink, ProbeResult Result), (Instant, long)> _inFlight = new();
    private readonly PriorityQueue<Action, (double, long)> _script = new();
    private readonly Link _primary = new();
    private readonly Link _backup = new();
    private ulong _random;
    private long _order;
    private int _turns;
    private bool _egressRefuted;

    /// <param name="before">How the world is from its first moment on.</param>
    public ScriptedWorld(DetectorOptions? primary = null, ulong seed = 1, Action<ScriptedWorld>? before = null)
    {
        var options = primary ?? new DetectorOptions();
        _random = (seed * 0x9E3779B97F4A7C15) | 1;
        Pair = new UplinkPair(options, options.AsBackup(), Origin);
        before?.Invoke(this);
        Drain(Origin);
    }

    public UplinkPair Pair { get; }

    public Instant Now { get; private set; } = Origin;

    public List<Verdict> Primary { get; } = [];

    public List<Verdict> Backup { get; } = [];

    public long Probes { get; private set; }

    public List<(double At, UplinkName Uplink, ProbeRequest Request)> Asked { get; } = [];

    public bool RecordAsked { get; set; }

    /// <summary>This resolver alone lies, by the primary.</summary>
    public WitnessName Refuses { get; set; }

    /// <summary>The prober stops telling anything.</summary>
    public bool ProberSilent { get; set; }

    /// <summary>How often the pair was turned without the time moving on.</summary>
    public int MostTurnsAtOnce { get; private set; }

    /// <summary>The primary was called Up while the last word on its egress was a refusal (I9).</summary>
    public Verdict? UpWhileRefuted { get; private set; }

    public static double Seconds(Instant at) => (at - Origin).TotalSeconds;

    public static Instant At(double seconds) => Origin + TimeSpan.FromSeconds(seconds);

    public ScriptedWorld When(double seconds, Action<ScriptedWorld> change)
    {
        _script.Enqueue(() => change(this), (seconds, _order++));
        return this;
    }

    public void Cut(UplinkName uplink) => Loss(uplink, 1, Everyone);

    public void Restore(UplinkName uplink) => Loss(uplink, 0, Everyone);

    public void Loss(UplinkName uplink, double loss, params WitnessName[] witnesses)
    {
        foreach (var witness in witnesses)
        {
            LinkOf(uplink).Loss[(int)witness] = loss;
        }
    }

    public void Refute(UplinkName uplink, bool refuted) => LinkOf(uplink).Refuted = refuted;

    /// <summary>What a witness gives where it is not lost; null: what an honest one would.</summary>
    public void Answers(UplinkName uplink, ProbeOutcome? outcome, params WitnessName[] witnesses)
    {
        foreach (var witness in witnesses)
        {
            LinkOf(uplink).Outcome[(int)witness] = outcome;
        }
    }

    /// <summary>Names that do not exist get an address.</summary>
    public void Hijack(UplinkName uplink, bool lies) => LinkOf(uplink).Lies = lies;

    /// <summary>The router sends what is meant for this uplink by the other one.</summary>
    public void FallOver(UplinkName uplink, bool over) => LinkOf(uplink).IsOver = over;

    /// <summary>One address family of the uplink goes dark; Unspecified: none.</summary>
    public void LoseFamily(UplinkName uplink, AddressFamily family) => LinkOf(uplink).DarkFamily = family;

    public void Rtt(UplinkName uplink, double milliseconds) => LinkOf(uplink).Rtt = TimeSpan.FromMilliseconds(milliseconds);

    public ScriptedWorld RunTo(double seconds)
    {
        var end = At(seconds);
        while (true)
        {
            var wake = Pair.NextWake;
            var answer = _inFlight.TryPeek(out _, out var due) ? due.Item1 : Instant.Never;
            var script = _script.TryPeek(out _, out var when) ? At(when.Item1) : Instant.Never;
            var next = Instant.Min(Instant.Min(wake, answer), script);
            if (next > end)
            {
                Now = end;
                return this;
            }

            _turns = next > Now ? 0 : _turns + 1;
            MostTurnsAtOnce = Math.Max(MostTurnsAtOnce, _turns);
            Now = Instant.Max(Now, next);
            if (script <= next)
            {
                _script.Dequeue()();
            }
            else if (answer <= next)
            {
                var (uplink, result) = _inFlight.Dequeue();
                Note(uplink, result);
                Pair.Result(uplink, result);
            }
            else
            {
                Pair.Tick(Now);
            }

            Drain(Now);
            if (_egressRefuted && Pair.Primary.Current.State is (UplinkState.Up or UplinkState.Degraded))
            {
                UpWhileRefuted ??= Pair.Primary.Current;
            }
        }
    }

    private void Note(UplinkName uplink, in ProbeResult result)
    {
        if (uplink == UplinkName.Primary && result.Request.Witness == WitnessName.Egress && result.Outcome != ProbeOutcome.Lost)
        {
            _egressRefuted = result.Outcome == ProbeOutcome.Refuted;
        }
    }

    public string Story(UplinkName uplink = UplinkName.Primary) => string.Join(
        " ", (uplink == UplinkName.Primary ? Primary : Backup).Select(v => $"{v.State}({v.Reason})"));

    public double TimeOf(UplinkState state, int nth = 0) => Seconds(Primary.Where(v => v.State == state).ElementAt(nth).At);

    private Link LinkOf(UplinkName uplink) => uplink == UplinkName.Primary ? _primary : _backup;

    private void Drain(Instant at)
    {
        Drain(UplinkName.Primary, Pair.Primary, Primary, at);
        Drain(UplinkName.Backup, Pair.Backup, Backup, at);
    }

    private void Drain(UplinkName name, Detector detector, List<Verdict> told, Instant at)
    {
        while (detector.TryTakeVerdict(out var verdict))
        {
            told.Add(verdict);
        }

        while (detector.TryTakeProbe(out var request))
        {
            Probes++;
            if (RecordAsked)
            {
                Asked.Add((Seconds(at), name, request));
            }

            if (!ProberSilent)
            {
                Answer(name, request, at);
            }
        }
    }

    private void Answer(UplinkName name, in ProbeRequest request, Instant at)
    {
        var own = LinkOf(name);
        var link = own.IsOver ? LinkOf(name == UplinkName.Primary ? UplinkName.Backup : UplinkName.Primary) : own;
        var lost = Draw() < link.Loss[(int)request.Witness] || link.Rtt > request.Timeout
            || (link.DarkFamily != AddressFamily.Unspecified && request.Family == link.DarkFamily);
        var outcome = lost ? ProbeOutcome.Lost
            : own.IsOver && request.Witness == WitnessName.Egress ? ProbeOutcome.Refuted
            : request.Witness == Refuses && request.RandomLabel && name == UplinkName.Primary ? ProbeOutcome.Refuted
            : link.Outcome[(int)request.Witness] ?? link.Honest(request);
        var told = at + (lost ? request.Timeout : link.Rtt);
        _inFlight.Enqueue((name, new ProbeResult(request, at, told, outcome)), (told, _order++));
    }

    private double Draw()
    {
        _random ^= _random << 13;
        _random ^= _random >> 7;
        _random ^= _random << 17;
        return (_random >> 11) * (1.0 / (1UL << 53));
    }

    private sealed class Link
    {
        public double[] Loss { get; } = new double[16];

        public ProbeOutcome?[] Outcome { get; } = new ProbeOutcome?[16];

        public bool IsOver { get; set; }

        public bool Lies { get; set; }

        public AddressFamily DarkFamily { get; set; }

        public TimeSpan Rtt { get; set; } = TimeSpan.FromMilliseconds(30);

        public bool Refuted { get; set; }

        public ProbeOutcome Honest(in ProbeRequest request) => request switch
        {
            { Witness: WitnessName.Bastion or WitnessName.Lan } => ProbeOutcome.Authenticated,
            { Full: true } when request.Witness.IsTls() => Refuted ? ProbeOutcome.Refuted : ProbeOutcome.Authenticated,
            { RandomLabel: true } when Lies => ProbeOutcome.Refuted,
            _ => ProbeOutcome.Answered,
        };
    }
}
