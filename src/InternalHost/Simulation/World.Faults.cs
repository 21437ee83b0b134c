using Common.Time;
using InternalHost.Failover;
using InternalHost.Wan.Detection;

namespace InternalHost.Simulation;

/// <content>How faults begin, end, and what they do to the world.</content>
internal sealed partial class World
{
    private static readonly TimeSpan Year = TimeSpan.FromDays(365);

    private void Begin(Fault fault)
    {
        Counts[(int)fault.Kind]++;
        Trace.Add("fault", fault);
        Invariants.Disturbed(fault.Kind, fault.For > TimeSpan.Zero ? 1 : 0);
        if (fault.For > TimeSpan.Zero)
        {
            _active[(int)fault.Kind]++;
            _faults.Add(fault);
            Agenda.After(fault.For, () => End(fault));
            Changed(fault.Kind);
        }

        Strike(fault);
    }

    private void End(Fault fault)
    {
        _active[(int)fault.Kind]--;
        _faults.Remove(fault);
        WallOffset = fault.Kind == FaultKind.WallJump ? TimeSpan.Zero : WallOffset;
        Trace.Add("over", fault.Kind);
        Invariants.Disturbed(fault.Kind, -1);
        Changed(fault.Kind);
    }

    private void Changed(FaultKind kind)
    {
        if (kind is FaultKind.DiskFull or FaultKind.DiskReadOnly)
        {
            ApplyDisk();
        }

        Provider.SlowBoot = Is(FaultKind.SlowBoot);
        Provider.SlowStop = Is(FaultKind.SlowStop);
        MendLinks();
    }

    private void MendLinks()
    {
        var (primary, backup) = (LinkOf(UplinkName.Primary), LinkOf(UplinkName.Backup));
        primary.Mend();
        backup.Mend();
        foreach (var fault in _faults)
        {
            Harm(primary, backup, fault);
        }

        if (Is(FaultKind.EgressFallover))
        {
            // The primary's own troubles no longer matter: all of it leaves by the backup.
            primary.Mend();
            primary.ByOther = true;
            for (var witness = 0; witness < backup.Loss.Length; witness++)
            {
                primary.Lose((WitnessName)witness, backup.Loss[witness]);
            }
        }
    }

    private static void Harm(Link primary, Link backup, Fault fault)
    {
        switch (fault.Kind)
        {
            case FaultKind.Blackout or FaultKind.OneWay or FaultKind.Micro: primary.Lose(1); break;
            case FaultKind.CarrierLoss: primary.Carrier = false; primary.Lose(1); break;
            case FaultKind.PppoeGone or FaultKind.LeaseLoss: primary.Path = false; primary.Lose(1); break;
            case FaultKind.IspOnly:
                var access = primary.Loss[(int)WitnessName.IspDns];
                primary.Lose(1);
                primary.SetLoss(WitnessName.IspDns, access);
                break;
            case FaultKind.Portal: primary.Portal = true; break;
            case FaultKind.Hijack: primary.Hijack = true; break;
            case FaultKind.Loss or FaultKind.Brownout: primary.Lose(fault.Level); break;
            case FaultKind.Latency: primary.Rtt = TimeSpan.FromMilliseconds(fault.Level); break;
            case FaultKind.WitnessDead: primary.Lose((WitnessName)(int)fault.Level, 1); backup.Lose((WitnessName)(int)fault.Level, 1); break;
            case FaultKind.IspDnsDead: primary.Lose(WitnessName.IspDns, 1); break;
            case FaultKind.DnsOperatorsDead:
                primary.Lose(WitnessName.DnsA, 1);
                primary.Lose(WitnessName.DnsB, 1);
                backup.Lose(WitnessName.DnsA, 1);
                backup.Lose(WitnessName.DnsB, 1);
                break;
            case FaultKind.BackupDark or FaultKind.BackupMetered: backup.Lose(1); break;
            case FaultKind.BackupSlow: backup.Rtt = TimeSpan.FromMilliseconds(fault.Level); break;
            case FaultKind.BothDark or FaultKind.PowerCut: primary.Lose(1); backup.Lose(1); break;
        }
    }

    /// <summary>What happens in the moment in which it begins.</summary>
    private void Strike(Fault fault)
    {
        switch (fault.Kind)
        {
            case FaultKind.PowerCut: PowerOff(fault.For); break;
            case FaultKind.Reboot: PowerOff(TimeSpan.FromSeconds(fault.Level)); break;
            case FaultKind.NewWiring: Rewire(); break;
            case FaultKind.Crash: Crash((Cut)(int)fault.Level); break;
            case FaultKind.LoopLate: Stall(TimeSpan.FromSeconds(fault.Level)); break;
            case FaultKind.WallJump: WallOffset = fault.Level * Year; break;
            case FaultKind.AddressMoved: Provider.Move(); break;
            case FaultKind.Terminated: Provider.Stop(Actor.Provider); break;
            case FaultKind.HostDied: Provider.Fall(Actor.Provider); break;
            case FaultKind.TunnelDropped: _inside?.Tunnel.Drop(); break;
            case FaultKind.NatForgot: _inside?.Tunnel.Forget(); break;
            case FaultKind.PersonLogsIn: LogIn(TimeSpan.FromSeconds(fault.Level)); break;
            case FaultKind.OwnerStarts: Provider.Start(Actor.Owner); break;
            case FaultKind.OwnerStops when fault.Level > 0: Provider.Fall(Actor.Owner); break;
            case FaultKind.OwnerStops: Provider.Stop(Actor.Owner); break;
            case FaultKind.OperatorOpens: Order(at => new FailoverEvent.OperatorOpened(at, TimeSpan.FromSeconds(fault.Level))); break;
            case FaultKind.OperatorCloses: Order(at => new FailoverEvent.OperatorClosed(at)); break;
            case FaultKind.OperatorPauses: Order(at => new FailoverEvent.OperatorPaused(at, TimeSpan.FromSeconds(fault.Level), "")); break;
            case FaultKind.OperatorResumes: Order(at => new FailoverEvent.OperatorResumed(at)); break;
            case FaultKind.DrillAsked: Order(at => new FailoverEvent.DrillRequested(at)); break;
        }
    }

    private void Order(Func<Instant, FailoverEvent> order)
    {
        if (_inside?.Inbox.TryPost(order) == true)
        {
            Invariants.Orders.Given();
        }
    }

    private void Crash(Cut cut)
    {
        Guillotine.Raise(cut);
        if (cut == Cut.BetweenEvents)
        {
            Guillotine.Falls(cut);
        }
        else
        {
            // Where that place is not reached, it falls between two events in the end.
            Agenda.After(TimeSpan.FromMinutes(2), FallAnyway);
        }
    }

    private void FallAnyway()
    {
        if (Guillotine.Raised)
        {
            Guillotine.Raise(Cut.BetweenEvents);
            Guillotine.Falls(Cut.BetweenEvents);
        }
    }

    private void Stall(TimeSpan by)
    {
        if (_inside is { } inside)
        {
            inside.Life.StalledUntil = Now + by;
        }
    }

    /// <summary>The configuration is another one: what was Up under the old one has to show itself again.</summary>
    private void Rewire()
    {
        Die("rewired", TimeSpan.FromSeconds(2));
        _database ??= Open();
        Run("DELETE FROM uplink_was_up");
    }

    private void Run(string sql)
    {
        try
        {
            _database!.Write(t =>
            {
                using var command = t.Connection!.CreateCommand();
                command.Transaction = t;
                command.CommandText = sql;
                return command.ExecuteNonQuery();
            });
        }
        catch (Microsoft.Data.Sqlite.SqliteException)
        {
            // The disk takes nothing now: then nothing is forgotten either.
        }
    }

    /// <summary>Somebody comes, if the door is open; leaves by himself, unless somebody stops the machine under him.</summary>
    private void LogIn(TimeSpan stay)
    {
        if (Provider.Machine is not { State: Cloud.InstanceState.Running } vm || vm.Ready > Now || vm.Refuses(Now))
        {
            return;
        }

        vm.People++;
        vm.Logins++;
        var epoch = vm.Epoch;
        Agenda.After(stay, () => Leave(vm, epoch));
    }

    private void Leave(Vm vm, int epoch)
    {
        if (vm.Epoch == epoch && vm.People > 0)
        {
            vm.People--;
            Trace.Add("leaves", vm.People);
        }
    }

    /// <summary>The outbox shows it to the owner as a message that will not arrive.</summary>
    public bool IsDeadLetter(string alertId, string recipient) => Count(
        $"SELECT count(*) FROM deliveries WHERE alert_id=$a AND recipient=$b AND phase={(int)Common.Alerts.DeliveryPhase.Dead}", alertId, recipient) > 0;

    /// <summary>The message in which the outbox says that it has told of this one; null: in none.</summary>
    public string? ToldIn(string alertId, string recipient) => Ask<string>(
        $"SELECT substr(reason, length($c) + 1) FROM deliveries WHERE alert_id=$a AND recipient=$b AND phase={(int)Common.Alerts.DeliveryPhase.NotNeeded} AND substr(reason, 1, length($c))=$c",
        alertId, recipient, Common.Alerts.Backlog.ToldIn);

    /// <summary>The alert of this id on disk is this very one; true also where none is, or nothing can be read.</summary>
    public bool Owns(string alertId, string kind, string about) =>
        Count("SELECT count(*) FROM alerts WHERE id=$a AND (kind<>$b OR about<>$c)", alertId, kind, about) == 0;

    private int Count(string sql, params string[] values) => Convert.ToInt32(Ask<object>(sql, values), null);

    private T? Ask<T>(string sql, params string[] values)
        where T : class => _database?.Read(connection =>
    {
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        for (var i = 0; i < values.Length; i++)
        {
            command.Parameters.AddWithValue($"${(char)('a' + i)}", values[i]);
        }

        return command.ExecuteScalar() as T;
    });
}
