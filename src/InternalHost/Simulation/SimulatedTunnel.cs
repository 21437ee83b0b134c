using System.Collections.Immutable;
using System.Net;
using Common.Agent;
using Common.Time;
using InternalHost.Cloud;
using InternalHost.Failover;
using InternalHost.Tunnel;
using InternalHost.Wan;
using InternalHost.Wan.Detection;
using static InternalHost.Tunnel.TunnelEvent;

namespace InternalHost.Simulation;

/// <summary>
/// One life's tunnel: the real machine decides when to dial, what to believe and how long to wait; dials, logins, probes and the agent
/// behind it are the world's. News goes up as <see cref="Running.WayInByTunnel"/> passes it.
/// </summary>
internal sealed class SimulatedTunnel(World world, Life life, FailoverInbox inbox, Func<Usable> primary, Func<Usable> backup) : IWayIn
{
    private const int Nobody = -1;
    private static readonly TimeSpan DialPace = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan ProbeTimeout = TimeSpan.FromSeconds(3);
    private static readonly TimeSpan ServerAlive = TimeSpan.FromSeconds(15);

    private readonly TunnelPolicy _policy = TunnelPolicy.Default;
    private int _wish = Nobody;
    private int _alarm;
    private Line? _line;

    /// <summary>The TCP connection of one run: what it was made through.</summary>
    private sealed class Line
    {
        public required int Run { get; init; }
        public required Vm Vm { get; init; }
        public required int Epoch { get; init; }
        public required int Session { get; init; }
        public required UplinkName Uplink { get; init; }
        public bool Forgotten { get; set; }

        /// <summary>Whoever waits for an answer through it.</summary>
        public List<TaskCompletionSource<AgentReply?>> Asking { get; } = [];
    }

    public TunnelState State { get; private set; } = TunnelMachine.Start;

    /// <summary>Steps of the tunnel's machine.</summary>
    public long Steps { get; private set; }

    /// <summary>When a nonce last came round, in any run.</summary>
    public Instant LastProof { get; private set; } = Agenda.Origin;

    /// <summary>What <see cref="Snapshot"/> says, without making one.</summary>
    public bool IsUp => State is TunnelState.Up;

    public bool IsIdle => State is TunnelState.Idle;

    /// <summary>A person outside could get in through it now.</summary>
    public bool Carries => State is TunnelState.Up && Lives();

    public void Open(int run, ImmutableArray<IPAddress> addresses)
    {
        _wish = run;
        Post(new Wanted(world.Now, run, addresses));
    }

    public void Close()
    {
        _wish = Nobody;
        Post(new Unwanted(world.Now));
    }

    public void Nudge()
    {
        if (_wish != Nobody)
        {
            Post(new Nudged(world.Now));
        }
    }

    /// <summary>The connection is ended from outside.</summary>
    public void Drop()
    {
        if (_line is { } line)
        {
            Fail(line.Run, TunnelReason.Closed, "closed by remote host");
        }
    }

    /// <summary>The way forgets the connection: nobody is told.</summary>
    public void Forget()
    {
        if (_line is { } line)
        {
            line.Forgotten = true;
        }
    }

    public TunnelSnapshot Snapshot => new(
        State.GetType().Name, State.Run, State.Since, (State as TunnelState.Up)?.Proven, (State as TunnelState.Wanting)?.Memory.Last,
        Busy: false, _line?.Vm.Address is { } address ? new IPEndPoint(address, 49022) : null, null, 0, 0, null, []);

    public Task<AgentReply?> AskAsync(string op, CancellationToken ct)
    {
        if (_line is not { } line || !Lives() || State is not (TunnelState.Up or TunnelState.Verifying))
        {
            return Task.FromResult<AgentReply?>(null);
        }

        var answer = new TaskCompletionSource<AgentReply?>();
        line.Asking.Add(answer);
        _ = ct.Register(() => answer.TrySetCanceled(ct));
        world.Agenda.After(world.Streams.Agent.Seconds(0.05, 0.4), Arrive);
        return answer.Task;

        void Arrive()
        {
            if (world.Is(FaultKind.AgentSilent) || _line != line || !Same(line))
            {
                return;
            }

            if (op == "drain")
            {
                line.Vm.RefusingUntil = world.Now + TimeSpan.FromMinutes(10);
                world.Agenda.After(TimeSpan.FromMilliseconds(500), Answer, life);
                return;
            }

            line.Vm.RefusingUntil = op == "undrain" ? default : line.Vm.RefusingUntil;
            world.Agenda.After(world.Streams.Agent.Seconds(0.05, 0.2), Answer, life);
        }

        void Answer()
        {
            if (_line == line && Same(line))
            {
                line.Asking.Remove(answer);
                answer.TrySetResult(new AgentReply(
                    Ok: true, Sessions: line.Vm.People, Drained: op == "drain", AptIdle: !world.Is(FaultKind.AptBusy), Logins: line.Vm.Logins));
            }
        }
    }

    private void Post(TunnelEvent ev)
    {
        Steps++;
        var step = TunnelMachine.Advance(State, ev, _policy);
        State = step.Next;
        LastProof = State is TunnelState.Up up ? up.Proven : LastProof;
        foreach (var effect in step.Effects)
        {
            Perform(effect);
        }

        var alarm = ++_alarm;
        world.Agenda.At(TunnelMachine.WakeAt(State, _policy), () => Ring(alarm), life);
    }

    private void Ring(int alarm)
    {
        if (alarm == _alarm)
        {
            Post(new Ticked(world.Now));
        }
    }

    private void Perform(TunnelEffect effect)
    {
        switch (effect)
        {
            case TunnelEffect.Dial e: Dial(e.Run, e.Addresses, world.Now); break;
            case TunnelEffect.Connect e: Later(world.Is(FaultKind.SshdLags) ? world.Streams.Tunnel.Seconds(3, 12) : world.Streams.Tunnel.Seconds(0.15, 0.6), e.Run, () => LogIn(e.Run)); break;
            case TunnelEffect.AddForwards e: Later(world.Streams.Tunnel.Seconds(0.03, 0.2), e.Run, () => Forward(e.Run)); break;
            case TunnelEffect.Probe e: Probe(e.Run); break;
            case TunnelEffect.Close e: HangUp(e.Run); break;
            case TunnelEffect.Tell e: Tell(e.News); break;
        }
    }

    /// <summary>What has been asked through it is not answered any more, and whoever asked sees so at once.</summary>
    private void HangUp(int run)
    {
        if (_line is { } line && line.Run == run)
        {
            _line = null;
            line.Asking.ForEach(a => a.TrySetResult(null));
        }
    }

    private void Later(TimeSpan after, int run, Action action) => world.Agenda.After(
        after,
        () =>
        {
            if (State.Run == run && State is TunnelState.Wanting and not TunnelState.BackingOff)
            {
                action();
            }
        },
        life);

    private void Dial(int run, ImmutableArray<IPAddress> addresses, Instant begun)
    {
        var uplink = WayOut.Choose(primary(), backup())[0];
        var vm = world.Provider.Machines.Find(m => m.Address is { } a && addresses.Contains(a));
        var open = vm is { State: InstanceState.Running } && vm.Ready <= world.Now && world.LinkOf(uplink).Works;
        if (open && !world.Is(FaultKind.SshdRefuses) && !world.Is(FaultKind.SshdSilent))
        {
            _line = new Line { Run = run, Vm = vm!, Epoch = vm!.Epoch, Session = vm.Sessions, Uplink = uplink };
            Later(TimeSpan.FromMilliseconds(80), run, () => Post(new DialWon(world.Now, run)));
        }
        else if (world.Now - begun >= _policy.DialFor)
        {
            Fail(run, world.Is(FaultKind.SshdRefuses) ? TunnelReason.Refused : TunnelReason.Timeout, "no banner");
        }
        else
        {
            Later(DialPace, run, () => Dial(run, addresses, begun));
        }
    }

    private void LogIn(int run)
    {
        if (!Lives())
        {
            Later(TimeSpan.FromSeconds(8), run, () => Fail(run, TunnelReason.KexHang, "no answer to the key exchange"));
        }
        else if (world.Is(FaultKind.StrangerAtAddress))
        {
            Fail(run, TunnelReason.HostKeyChanged, "another host key");
        }
        else if (world.Is(FaultKind.LoginDenied))
        {
            Fail(run, TunnelReason.Denied, "denied");
        }
        else
        {
            Post(new Connected(world.Now, run));
            Watch(run);
        }
    }

    private void Forward(int run)
    {
        var taken = world.Is(FaultKind.PortTaken);
        if (!Lives())
        {
            return;
        }

        Post(new LoopForwarded(world.Now, run, taken ? TunnelReason.ForwardBusy : null, world.Streams.Redial.Next()));
        if (taken)
        {
            Later(TimeSpan.FromSeconds(1), run, () => ForwardAgain(run));
        }
    }

    /// <summary>Its keeper asks for the port again until the bastion gives it.</summary>
    private void ForwardAgain(int run)
    {
        if (State is TunnelState.Forwarding)
        {
            Forward(run);
        }
    }

    private void Probe(int run)
    {
        var busy = State is TunnelState.Forwarding { Busy: true };
        if (Lives() && !busy)
        {
            Later(TimeSpan.FromMilliseconds(60), run, () => Post(new ProbeAnswered(world.Now, run)));
        }
        else
        {
            Later(ProbeTimeout, run, () => Post(new ProbeMissed(world.Now, run, 0, world.Streams.Redial.Next())));
        }
    }

    /// <summary>The ssh child's own keepalives; a machine that stops says goodbye.</summary>
    private void Watch(int run, Instant? deadSince = null)
    {
        if (_line is not { } line || line.Run != run)
        {
            return;
        }

        var lives = Lives();
        Instant? since = lives ? null : deadSince ?? world.Now;
        if (line.Vm is { State: not InstanceState.Running, Fell: false } && world.LinkOf(line.Uplink).Works)
        {
            Fail(run, TunnelReason.Closed, "closed by remote host");
        }
        else if (world.Now - since >= ServerAlive)
        {
            Fail(run, TunnelReason.ServerAliveTimeout, "not responding");
        }
        else
        {
            Later(TimeSpan.FromSeconds(5), run, () => Watch(run, since));
        }
    }

    private void Fail(int run, TunnelReason reason, string detail) =>
        Post(new Failed(world.Now, run, new TunnelFailure(reason, detail), world.Streams.Redial.Next()));

    private bool Lives() => _line is { } line && Same(line);

    private bool Same(Line line) => line is { Forgotten: false, Vm.State: InstanceState.Running }
        && line.Vm.Epoch == line.Epoch && line.Vm.Sessions == line.Session && world.LinkOf(line.Uplink).Works;

    private void Tell(TunnelNews news)
    {
        if (news.Wish == _wish && FailoverEvent.Of(news) is { } told)
        {
            inbox.TryPost(told);
        }
    }
}
