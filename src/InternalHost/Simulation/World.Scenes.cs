using Common.Time;
using InternalHost.Failover;

namespace InternalHost.Simulation;

/// <content>
/// The years between: a scene of faults, then calm until everything has settled, then a quiet stretch, then the next scene. A quiet
/// stretch is skipped as a whole: whatever remembers trouble has forgotten it, and all that is periodic has a period that divides
/// <see cref="Quantum"/>, so moving everything on by it changes nothing but the calendar.
/// </content>
internal sealed partial class World
{
    /// <summary>
    /// The backup's rotation (4 witnesses, each fifth turn a whole handshake and each tenth one for a witness at rest, 5 min apart), the primary's (5 witnesses, each tenth turn
    /// of two, 1 s apart), its public address and the 204 (1 min), the look at the provider (1 min) and ticks (5 s) fit into it without a
    /// rest. What does not: random labels (37 s) and the backup's own proof (1 h); only a hijacked resolver tells their phase from another.
    /// </summary>
    public static readonly TimeSpan Quantum = TimeSpan.FromSeconds(12_000);

    /// <summary>After a scene everything has settled by then, whatever the gateway keeps silent about.</summary>
    private static readonly TimeSpan SettlesWithin = TimeSpan.FromHours(26);

    /// <summary>After the rest of its scene; a quarter of an hour more than the way in is kept for nobody.</summary>
    private static readonly TimeSpan LiesInWait = TimeSpan.FromMinutes(25);

    private readonly List<Fault> _waiting = [];
    private int _scene;
    private Instant _sceneOver = Agenda.Origin;

    public TimeSpan SettlingFor => Now - _sceneOver;

    /// <summary>Looks now and then whether all is at rest, and goes on to the next scene.</summary>
    private void NextScene()
    {
        var settled = IsCalm && _inside is { IsSettled: true, IsStalled: false } && Provider.IsAtRest && WallOffset == TimeSpan.Zero && !Guillotine.Raised;
        if (!settled)
        {
            Invariants.Settling(IsCalm ? SettlingFor : TimeSpan.Zero, SettlesWithin);
            Agenda.After(TimeSpan.FromSeconds(5), NextScene);
            return;
        }

        Invariants.Settled();
        if (_options.Script is { } script && _scene++ == 0)
        {
            Play(script);
            return;
        }

        if (_options.Script is not null)
        {
            _ended = true;
            return;
        }

        Gateway.Forget(Now - TimeSpan.FromMinutes(1));
        var scene = Chance.Derive(_options.Seed, (ulong)(1000 + _scene++));
        var plan = new Chance(scene);
        var quiet = 1 + (int)(-Math.Log(1 - plan.Next()) * _options.LongestQuiet / 2.3);
        quiet = Math.Min(quiet, _options.LongestQuiet);
        var wait = plan.Seconds(0, 300);
        if (Agenda.Calendar + (quiet * Quantum) + wait >= _options.Length)
        {
            _ended = true;
            return;
        }

        if (_options.LivesQuiet)
        {
            wait += quiet * Quantum;
        }
        else
        {
            Agenda.Skip(quiet * Quantum);
        }

        Agenda.After(wait, () => Play(scene, plan));
    }

    private void Play(ulong scene, Chance plan)
    {
        Streams.Reseed(scene);
        Trace.Add("scene", _scene);
        Play(new Scenes(plan, _options.Crash, _options.Without).Draw());
    }

    private void Play(IReadOnlyList<Fault> faults)
    {
        var patience = LiesInWait;
        foreach (var fault in faults)
        {
            _planned++;
            if (fault.In is not null)
            {
                _waiting.Add(fault);
                continue;
            }

            Begin(fault, fault.At);
            patience = fault.At + fault.For + LiesInWait > patience ? fault.At + fault.For + LiesInWait : patience;
        }

        // Only this scene's: a stretch that is skipped moves what is still in the agenda into the next.
        var scene = _scene;
        Agenda.After(patience, () => GiveUp(scene));
        Agenda.After(TimeSpan.FromSeconds(5), NextScene);
    }

    private void Begin(Fault fault, TimeSpan after)
    {
        Agenda.After(after, () => Begin(fault));
        Agenda.After(after + fault.For, SceneGoesOn);
    }

    /// <summary>What lay in wait for the controller's coming here goes off.</summary>
    private void Spring(FailoverState before, FailoverState now)
    {
        if (_waiting.Count == 0 || Coverage.PhaseOf(now) is var phase && phase == Coverage.PhaseOf(before))
        {
            return;
        }

        foreach (var fault in _waiting.FindAll(f => f.In == phase))
        {
            _waiting.Remove(fault);
            Begin(fault, fault.At);
        }
    }

    private void GiveUp(int scene)
    {
        while (scene == _scene && _waiting.Count > 0)
        {
            _waiting.RemoveAt(_waiting.Count - 1);
            SceneGoesOn();
        }
    }

    private void SceneGoesOn()
    {
        _planned--;
        _sceneOver = Now;
    }
}
