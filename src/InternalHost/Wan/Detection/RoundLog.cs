using Common;
using Common.Time;

namespace InternalHost.Wan.Detection;

/// <summary>
/// The rounds under way, and what those that ended say: two good ones in a row (a suspicion was unfounded), or a long spell of
/// good ones (an uplink is back). A round is judged as soon as enough answers are in, so a dead witness delays nothing.
/// </summary>
[PureCore]
internal sealed class RoundLog
{
    /// <summary>More than are ever in flight: timeout 1 s, rounds 500 ms apart.</summary>
    private const int InFlight = 8;

    /// <summary>At one round a second the longest spell asked for (10 minutes) fits.</summary>
    private const int WindowMax = 1024;

    private const double GoodShare = 0.9;

    private readonly Round[] _rounds = new Round[InFlight];
    private readonly bool[] _window = new bool[WindowMax];
    private int _last;
    private int _lastPaired;
    private int _head;
    private int _count;
    private int _good;

    private struct Round
    {
        public int Id;
        public int Asked;
        public int Answered;
        public int Resolved;
        public bool Judged;
        public bool Paired;
        public Instant SentAt;
    }

    /// <summary>Two rounds in a row had at least two witnesses answering, and none that has ended since had fewer.</summary>
    public bool TwoInARow { get; private set; }

    /// <summary>When the first good round of the present spell was sent.</summary>
    public Instant? GoodSince { get; private set; }

    /// <summary>Any answer since the log was cleared.</summary>
    public bool AnyAnswer { get; private set; }

    public int Count { get; private set; }

    /// <summary>A new phase: what is still under way belongs to the old one.</summary>
    public void Clear()
    {
        Array.Clear(_rounds);
        _lastPaired = 0;
        TwoInARow = false;
        AnyAnswer = false;
        Count = 0;
        ClearSpell();
    }

    /// <summary>Begins a round and returns its number.</summary>
    public int Open(Instant at, int asked)
    {
        _last = _last == int.MaxValue ? 1 : _last + 1;
        Count++;
        _rounds[_last % InFlight] = new Round { Id = _last, Asked = asked, SentAt = at };
        return _last;
    }

    /// <param name="credible">Somebody proved its name lately; otherwise answers do not make a round good.</param>
    /// <param name="spell">Rounds in the stretch that must be good.</param>
    public void OnResult(int id, bool answered, bool credible, int spell)
    {
        ref var round = ref _rounds[id % InFlight];
        if (id == 0 || round.Id != id)
        {
            return;
        }

        round.Resolved++;
        round.Answered += answered ? 1 : 0;
        AnyAnswer |= answered;
        Pair(ref round);
        Judge(ref round, credible, spell);
    }

    /// <summary>The spell has lasted long enough, and nine rounds in ten of its last stretch were good.</summary>
    public bool Recovered(Instant at, TimeSpan spell) =>
        GoodSince is { } since && at - since >= spell && _good >= GoodShare * _count;

    private void Pair(ref Round round)
    {
        if (round.Paired)
        {
            return;
        }

        if (round.Answered < Math.Min(2, round.Asked))
        {
            TwoInARow &= round.Resolved < round.Asked || round.Id < _lastPaired;
            return;
        }

        round.Paired = true;
        TwoInARow |= _lastPaired == round.Id - 1 && _lastPaired != 0;
        _lastPaired = Math.Max(_lastPaired, round.Id);
    }

    private void Judge(ref Round round, bool credible, int spell)
    {
        // At least half of the witnesses in use, rounded up.
        var good = credible && round.Answered * 2 >= round.Asked;
        if (round.Judged || (!good && round.Resolved < round.Asked))
        {
            return;
        }

        round.Judged = true;
        if (GoodSince is null)
        {
            if (!good)
            {
                return;
            }

            GoodSince = round.SentAt;
        }

        Push(good, Math.Clamp(spell, 1, WindowMax - 1));
    }

    private void Push(bool good, int length)
    {
        _window[_head] = good;
        _head = (_head + 1) % WindowMax;
        _count++;
        _good += good ? 1 : 0;
        while (_count > length)
        {
            _good -= _window[(_head - _count + WindowMax) % WindowMax] ? 1 : 0;
            _count--;
        }

        if (_good == 0)
        {
            ClearSpell();
        }
    }

    private void ClearSpell()
    {
        GoodSince = null;
        _head = _count = _good = 0;
    }
}
