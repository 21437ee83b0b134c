using System.Collections.Immutable;
using System.Globalization;
using System.Net;
using Common.Configuration;
using Common.Time;
using InternalHost.Cloud.DigitalOcean;

namespace InternalHost.Cloud.Making;

/// <summary>
/// Machines at DigitalOcean. There is no idempotency key: what was asked for is written down first, and where its end is not known the list
/// is looked at until it would show what was made. There is no console to read either: the machine is born with a host key of ours, which is
/// replaced over the first contact.
/// </summary>
internal sealed class DropletMaking(DigitalOceanClient client, MakingWish wish, ISetupShell shell, Func<CancellationToken, Task<OneTimeHostKey>> newHostKey, MakingPatience patience, TimeProvider time) : IMakerCloud
{
    public const string Image = "debian-12-x64";

    private const string Root = "root";
    private const string SnapshotType = "snapshot";

    private readonly string _tag = DropletCloud.TagOf(wish.Site);

    public Lifecycle Lifecycle => Lifecycle.Snapshot;

    public string FirstAccount => Root;

    public IEnumerable<Thing> Wanted =>
    [
        new(ThingKind.Key, wish.Name, "SSH key"),
        new(ThingKind.Firewall, wish.Name, "cloud firewall", $"in: tcp {string.Join(", ", wish.Ports)}, IPv4 and IPv6, for whatever bears the tag {_tag}"),
        new(ThingKind.Machine, wish.Name, "Droplet", $"{wish.Sizes[0]}, Debian 12; destroyed when its snapshot is made", Paid: true),
        new(ThingKind.Snapshot, DropletCloud.SnapshotsOf(wish.Site) + "DATE", "snapshot", "out of which the Droplet is made again in an outage", Paid: true),
    ];

    /// <summary>A token does not tell its scopes.</summary>
    public Task<IReadOnlyList<string>> MissingRightsAsync(CancellationToken ct) => Task.FromResult<IReadOnlyList<string>>([]);

    public async Task<MakingSight> LookAsync(MakingNotes notes, bool everything, CancellationToken ct)
    {
        var droplets = await DropletsAsync(notes, ct);
        var keys = await CallAsync("look for the SSH key", () => client.KeysAsync(ct));
        var firewalls = (await CallAsync("look for the firewall", () => client.FirewallsAsync(ct))).Where(f => f.Name == wish.Name).ToList();
        var golden = (await CallAsync("look for snapshots", () => client.SnapshotsAsync(ct))).Where(s => s.Name.StartsWith(DropletCloud.SnapshotsOf(wish.Site), StringComparison.Ordinal)).ToList();
        var off = droplets.FirstOrDefault(d => d.Status == "off");
        return new MakingSight
        {
            Machines = [.. droplets.Select(d => new SeenMachine(Text(d.Id), StateOf(d.Status), Public(d)))],
            Key = keys.FirstOrDefault(k => IsMaintenanceKey(k)) is { } key ? Text(key.Id) : null,
            Firewall = firewalls.FirstOrDefault()?.Id,
            FirewallIsRight = firewalls is [var firewall, ..] && DropletOpening.IsRight(firewall, Firewall),
            Golden = golden.FirstOrDefault(s => notes.Attempt is null || notes.FinishedAt is not null || s.Name == notes.SnapshotName)?.Name,
            SnapshotUnderWay = off is not null && notes.SnapshotName is not null && (await SnapshotsOfAsync(off.Id, ct)).Any(a => a.Status == "in-progress"),
            Things =
            [
                .. droplets.Select(d => new Thing(ThingKind.Machine, Text(d.Id), "Droplet", $"{d.SizeSlug}, {d.Status}", Paid: true)),
                .. golden.Select(s => new Thing(ThingKind.Snapshot, s.Id, "snapshot", s.Name, Paid: true)),
                .. firewalls.Select(f => new Thing(ThingKind.Firewall, f.Id ?? "", "cloud firewall", f.Name)),
                .. keys.Where(k => k.Name == wish.Name).Select(k => new Thing(ThingKind.Key, Text(k.Id), "SSH key", k.Name)),
                .. everything && await CallAsync("look for the tag", () => client.HasTagAsync(_tag, ct)) ? (Thing[])[new(ThingKind.Tag, _tag, "tag")] : [],
            ],
        };
    }

    public async Task DoAsync(MakingStep step, MakingSight seen, MakingJournal journal, CancellationToken ct)
    {
        switch (step)
        {
            case MakingStep.Key:
                await CallAsync("tell the maintenance key", () => client.CreateKeyAsync(wish.Name, wish.MaintenanceKey, ct));
                break;
            case MakingStep.Firewall:
                // A firewall takes only tags that are there.
                await DoneAsync("make the tag", () => client.CreateTagAsync(_tag, ct));
                await CallAsync("make the firewall", () => client.CreateFirewallAsync(Firewall, ct));
                break;
            case MakingStep.Rules:
                await DoneAsync("make the tag", () => client.CreateTagAsync(_tag, ct));
                await CallAsync("set the firewall's rules", () => client.PutFirewallAsync(seen.Firewall!, Firewall, ct));
                break;
            case MakingStep.Machine:
                await MachineAsync(seen, journal, ct);
                break;
            case MakingStep.Start:
                await ActAsync("start the machine", seen, "power_on", ct);
                break;
            case MakingStep.HostKey:
                await FirstContactAsync(seen.Machines[0], journal, ct);
                break;
            case MakingStep.Credential:
                journal.Write(journal.Notes with { Credential = CredentialNote.ByOwner });
                break;
            case MakingStep.Stop:
                await ActAsync("shut the machine down", seen, "shutdown", ct);
                break;
            case MakingStep.Snapshot:
                await SnapshotAsync(seen.Machines[0], journal, ct);
                break;
            case MakingStep.Destroy:
                await GoneAsync("destroy the Droplet", () => client.DeleteDropletAsync(Number(seen.Machines[0].Id), ct));
                break;
            default:
                throw new InvalidOperationException($"{step} is no step of DigitalOcean's");
        }
    }

    public Task DeleteAsync(Thing thing, CancellationToken ct) => thing.Kind switch
    {
        ThingKind.Machine => GoneAsync("destroy the Droplet", () => client.DeleteDropletAsync(Number(thing.Id), ct)),
        ThingKind.Snapshot => GoneAsync("delete the snapshot", () => client.DeleteSnapshotAsync(thing.Id, ct)),
        ThingKind.Firewall => GoneAsync("delete the firewall", () => client.DeleteFirewallAsync(thing.Id, ct)),
        ThingKind.Key => GoneAsync("delete the SSH key", () => client.DeleteKeyAsync(Number(thing.Id), ct)),
        _ => GoneAsync("delete the tag", () => client.DeleteTagAsync(thing.Id, ct)),
    };

    private CloudFirewall Firewall => DropletOpening.Wanted(wish.Name, _tag, wish.Ports);

    private bool IsMaintenanceKey(AccountKey key) => PersonalValues.PublicKey(key.PublicKey).Value == wish.MaintenanceKey;

    private async Task<ImmutableArray<Droplet>> DropletsAsync(MakingNotes notes, CancellationToken ct)
    {
        var listed = (await CallAsync("look for the machine", () => client.DropletsByTagAsync(_tag, ct))).Where(d => d.Status != "archive").ToImmutableArray();
        // The list may leave out what is there.
        return listed.IsEmpty && notes is { MachineId: { } id, FinishedAt: null } && await CallAsync("look for the machine", () => client.DropletAsync(Number(id), ct)) is { Status: not "archive" } one ? [one] : listed;
    }

    private async Task MachineAsync(MakingSight seen, MakingJournal journal, CancellationToken ct)
    {
        if (journal.Notes is { Attempt: not null, MachineId: null } && await ShownAsync(async () => !(await DropletsAsync(journal.Notes, ct)).IsEmpty, ct))
        {
            return;   // it was made; the next look recognises it
        }

        for (var n = 0; ; n++)
        {
            var hostKey = await newHostKey(ct);
            var attempt = new MakingAttempt(Guid.NewGuid().ToString("N"), wish.Sizes[n], Image, "", seen.Key!, seen.Firewall!);
            var fresh = journal.Notes.MachineId is null ? journal.Notes : journal.Notes.WithoutMachine();
            journal.Write(fresh with { Attempt = attempt, OneTimeKeys = fresh.OneTimeKeys.Add(hostKey.Public) });
            try
            {
                var made = await client.CreateDropletAsync(
                    new FirstDroplet(wish.Name, wish.Region, attempt.Size, Image, [Number(attempt.Key)], [_tag], UserData.Render(wish.Ports, hostKey)), ct);
                journal.Write(journal.Notes.On(Text(made.Id)));
                return;
            }
            catch (DigitalOceanException e) when (e.Fault is CallFault.Refused or CallFault.Unreachable or CallFault.NoCredential)
            {
                journal.Write(journal.Notes.WithoutMachine());   // nothing was made
                if (!DigitalOceanErrors.IsNoRoom(e) || n + 1 == wish.Sizes.Length)
                {
                    throw DropletMakingErrors.ToCloud(e, "make the machine");
                }
            }
            catch (DigitalOceanException e)
            {
                throw DropletMakingErrors.ToCloud(e, "make the machine");
            }
        }
    }

    /// <summary>A new host key is made there, told over this connection, and put in place; whoever has read the first one has nothing.</summary>
    private async Task FirstContactAsync(SeenMachine machine, MakingJournal journal, CancellationToken ct)
    {
        var target = new SetupTarget(machine.Addresses, wish.Ports, journal.Notes.OneTimeKeys, [Root]);
        if (journal.Notes.NextHostKey is null)
        {
            var told = await shell.RunAsync(target, SetupScript.NewHostKey, default, _ => { }, ct);
            var key = PersonalValues.PublicKey(told.Trim());
            journal.Write(journal.Notes with { NextHostKey = key.Value ?? throw new MakingException($"the machine told no host key of its own: what it said {key.Problem}") });
        }

        var next = journal.Notes.NextHostKey!;
        await shell.RunAsync(target with { HostKeys = [next, .. target.HostKeys] }, SetupScript.UseNewHostKey, default, _ => { }, ct);
        // By the new one alone; sshd may need a moment to take it.
        await ProvenAsync(target with { HostKeys = [next] }, ct);
        journal.Write(journal.Notes with { HostKeys = [next] });
    }

    private async Task ProvenAsync(SetupTarget target, CancellationToken ct)
    {
        var began = Instant.Now(time);
        while (await shell.OfferedAsync(target, ct) != target.HostKeys[0])
        {
            if (Instant.Now(time) - began > patience.Longest)
            {
                throw new MakingException("the machine does not take its new host key (/etc/ssh/ssh_host_ed25519_key)");
            }

            await Task.Delay(patience.LookAgainAfter, time, ct);
        }

        await shell.RunAsync(target, "true", default, _ => { }, ct);
    }

    private async Task SnapshotAsync(SeenMachine machine, MakingJournal journal, CancellationToken ct)
    {
        var id = Number(machine.Id);
        if (journal.Notes.SnapshotName is null)
        {
            var name = DropletCloud.SnapshotsOf(wish.Site) + time.GetUtcNow().ToString("yyyy-MM-dd-HHmmss", CultureInfo.InvariantCulture);
            journal.Write(journal.Notes with { SnapshotName = name });
        }
        else if (await ShownAsync(async () => (await SnapshotsOfAsync(id, ct)).Any(a => a.Status != "errored"), ct))
        {
            return;   // it is under way, or done and not listed yet
        }

        await CallAsync("make the snapshot", () => client.SnapshotAsync(id, journal.Notes.SnapshotName!, ct));
    }

    private async Task<ImmutableArray<DropletAction>> SnapshotsOfAsync(long id, CancellationToken ct) =>
        [.. (await CallAsync("look at what was done to the machine", () => client.ActionsAsync(id, ct))).Where(a => a.Type == SnapshotType)];

    private async Task ActAsync(string doing, MakingSight seen, string type, CancellationToken ct)
    {
        var id = Number(seen.Machines[0].Id);
        var action = await CallAsync(doing, () => client.ActAsync(id, type, ct));
        var began = Instant.Now(time);
        while (action.Status == "in-progress" && Instant.Now(time) - began < patience.Longest)
        {
            await Task.Delay(patience.LookAgainAfter, time, ct);
            action = await CallAsync(doing, () => client.ActionAsync(action.Id, ct));
        }

        if (type == "shutdown" && action.Status != "completed")
        {
            // It did not go by itself.
            await ActAsync("switch the machine off", seen, "power_off", ct);
        }
    }

    /// <summary>Whether it comes to be shown before a list has had its time.</summary>
    private async Task<bool> ShownAsync(Func<Task<bool>> isShown, CancellationToken ct)
    {
        for (var began = Instant.Now(time); ;)
        {
            if (await isShown())
            {
                return true;
            }

            if (Instant.Now(time) - began > patience.ListLag)
            {
                return false;
            }

            await Task.Delay(TimeSpan.FromTicks(Math.Min(patience.LookAgainAfter.Ticks, patience.ListLag.Ticks)), time, ct);
        }
    }

    private static InstanceState StateOf(string status) => status switch
    {
        "new" => InstanceState.Pending,
        "active" => InstanceState.Running,
        _ => InstanceState.Stopped,
    };

    private static ImmutableArray<IPAddress> Public(Droplet droplet) =>
        [.. (droplet.Networks?.V4 ?? []).Concat(droplet.Networks?.V6 ?? []).Where(n => n.Type == "public").Select(n => IPAddress.Parse(n.IpAddress))];

    private static Task<bool> GoneAsync(string doing, Func<Task> delete) => DoneAsync(doing, async () =>
    {
        try
        {
            await delete();
        }
        catch (DigitalOceanException e) when (e.IsNotFound)
        {
        }
    });

    private static Task<bool> DoneAsync(string doing, Func<Task> call) => CallAsync(doing, async () =>
    {
        await call();
        return true;
    });

    private static async Task<T> CallAsync<T>(string doing, Func<Task<T>> call)
    {
        try
        {
            return await call();
        }
        catch (DigitalOceanException e)
        {
            throw DropletMakingErrors.ToCloud(e, doing);
        }
    }

    private static string Text(long id) => id.ToString(CultureInfo.InvariantCulture);

    private static long Number(string id) => long.Parse(id, CultureInfo.InvariantCulture);
}
