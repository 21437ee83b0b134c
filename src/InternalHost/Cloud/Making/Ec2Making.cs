using System.Collections.Immutable;
using InternalHost.Cloud.Ec2;
using InternalHost.Pins;

namespace InternalHost.Cloud.Making;

/// <summary>Where the machine's image comes from.</summary>
/// <param name="Owner">Account id: 136693071363 is Debian's.</param>
internal sealed record Ec2ImageSource(string Owner, string Name)
{
    /// <summary>What the package is tested on.</summary>
    public static readonly Ec2ImageSource Debian = new("136693071363", "debian-12-amd64-*");
}

/// <summary>Machines at EC2. Everything bears the site's tag from its first moment.</summary>
/// <param name="user">Makes the daemon's own user; null: its credential is not a file of ours.</param>
internal sealed class Ec2Making(Ec2Client client, MakingWish wish, ISetupShell shell, Ec2RunningUser? user, Ec2ImageSource? source = null) : IMakerCloud
{
    private const string Architecture = "x86_64";

    /// <summary>Of the image; said, because not every EC2 finds it out.</summary>
    private const int DiskGigabytes = 8;
    private static readonly ImmutableArray<string> NotGone = ["pending", "running", "stopping", "stopped", "shutting-down"];

    private readonly Ec2ImageSource _source = source ?? Ec2ImageSource.Debian;
    private readonly ImmutableSortedDictionary<string, string> _tags = ImmutableSortedDictionary<string, string>.Empty.Add(Ec2Cloud.SiteTag, wish.Site).Add("Name", wish.Name);

    public Lifecycle Lifecycle => Lifecycle.StopStart;

    /// <summary>Of Debian's images.</summary>
    public string FirstAccount => "admin";

    public IEnumerable<Thing> Wanted =>
    [
        new(ThingKind.Key, wish.Name, "key pair"),
        new(ThingKind.Firewall, wish.Name, "security group", $"tcp {string.Join(", ", wish.Ports)} from everywhere, IPv4 and IPv6"),
        new(ThingKind.Machine, wish.Name, "instance", $"{wish.Sizes[0]}, Debian 12, IMDSv2 only; stopped when done", Paid: true),
        new(ThingKind.Volume, wish.Name, "volume", "gp3, encrypted; stays while the instance is stopped", Paid: true),
        .. user is null ? [] : (Thing[])[new(ThingKind.User, wish.Name, "IAM user", "may see, start, stop and resize this one instance; its key goes into the file of bastion.secret")],
    ];

    public async Task<IReadOnlyList<string>> MissingRightsAsync(CancellationToken ct)
    {
        var image = await CallAsync("DescribeImages", "look for the image", () => ImageAsync(ct));
        var missing = new List<string>();
        foreach (var call in Ec2MakingRights.Asked(wish.Name, image.ImageId, wish.Sizes[0]))
        {
            if (!await CallAsync(call.Action, "ask for our rights", () => client.IsPermittedAsync(call, ct)))
            {
                missing.Add("ec2:" + call.Action);
            }
        }

        return missing;
    }

    public async Task<MakingSight> LookAsync(MakingNotes notes, bool everything, CancellationToken ct)
    {
        var machines = await CallAsync("DescribeInstances", "look for the machine", () => client.DescribeInstancesByTagAsync(Ec2Cloud.SiteTag, wish.Site, NotGone, ct));
        var groups = await CallAsync("DescribeSecurityGroups", "look for the security group", () => client.DescribeSecurityGroupsByTagAsync(Ec2Cloud.SiteTag, wish.Site, ct));
        var keys = await CallAsync("DescribeKeyPairs", "look for the key pair", () => client.DescribeKeyPairsByTagAsync(Ec2Cloud.SiteTag, wish.Site, ct));
        var group = groups.FirstOrDefault(g => g.GroupName == wish.Name);
        return new MakingSight
        {
            Machines = [.. machines.Where(m => m.State != "shutting-down").Select(m => new SeenMachine(m.InstanceId, StateOf(m.State), m.PublicAddresses))],
            Key = keys.FirstOrDefault(k => k.KeyName == wish.Name)?.KeyName,
            Firewall = group?.GroupId,
            FirewallIsRight = group is not null && Ec2Opening.IsRight(group.Ingress, wish.Ports),
            Things =
            [
                .. machines.Select(m => new Thing(ThingKind.Machine, m.InstanceId, "instance", $"{m.InstanceType}, {m.State}", Paid: true) { Going = m.State == "shutting-down" }),
                .. groups.Select(g => new Thing(ThingKind.Firewall, g.GroupId, "security group", g.GroupName)),
                .. keys.Select(k => new Thing(ThingKind.Key, k.KeyName, "key pair")),
                .. everything ? await MoreAsync(ct) : [],
            ],
        };
    }

    public async Task DoAsync(MakingStep step, MakingSight seen, MakingJournal journal, CancellationToken ct)
    {
        switch (step)
        {
            case MakingStep.Key:
                await UnlessThereAsync("InvalidKeyPair.Duplicate", () => CallAsync("ImportKeyPair", "tell the maintenance key", () => client.ImportKeyPairAsync(wish.Name, wish.MaintenanceKey, _tags, ct)));
                break;
            case MakingStep.Firewall:
                await UnlessThereAsync("InvalidGroup.Duplicate", () => CallAsync("CreateSecurityGroup", "make the security group", () =>
                    client.CreateSecurityGroupAsync(wish.Name, $"bastion of site {wish.Site}", null, _tags, ct)));
                break;
            case MakingStep.Rules:
                await OpenAsync(seen.Firewall!, ct);
                break;
            case MakingStep.Machine:
                await RunAsync(seen, journal, ct);
                break;
            case MakingStep.Start:
                await CallAsync("StartInstances", "start the machine", () => client.StartInstancesAsync(seen.Machines[0].Id, dryRun: false, ct));
                break;
            case MakingStep.HostKey:
                await HostKeyAsync(seen.Machines[0], journal, ct);
                break;
            case MakingStep.Credential:
                journal.Write(journal.Notes with { Credential = user is null ? CredentialNote.ByOwner : await user.MakeAsync(ct) });
                break;
            case MakingStep.Stop:
                await CallAsync("StopInstances", "stop the machine", () => client.StopInstancesAsync(seen.Machines[0].Id, dryRun: false, ct));
                break;
            default:
                throw new InvalidOperationException($"{step} is no step of EC2's");
        }
    }

    public async Task DeleteAsync(Thing thing, CancellationToken ct)
    {
        try
        {
            await (thing.Kind switch
            {
                ThingKind.Machine => CallAsync("TerminateInstances", "terminate the machine", () => client.TerminateInstancesAsync(thing.Id, dryRun: false, ct)),
                ThingKind.Address => ReleaseAsync(thing, ct),
                ThingKind.Volume => VoidAsync("DeleteVolume", "delete the volume", () => client.DeleteVolumeAsync(thing.Id, ct)),
                ThingKind.Firewall => VoidAsync("DeleteSecurityGroup", "delete the security group", () => client.DeleteSecurityGroupAsync(thing.Id, ct)),
                ThingKind.Key => VoidAsync("DeleteKeyPair", "delete the key pair", () => client.DeleteKeyPairAsync(thing.Id, ct)),
                _ => user!.RemoveAsync(ct),
            });
        }
        catch (CloudException e) when (e.InnerException is Ec2Exception { Code: var code } && (Ec2MakingErrors.IsGone(code) || Ec2MakingErrors.IsInUse(code)))
        {
            // Gone already; or what used it is not quite gone yet, and it is asked for again.
        }
    }

    private async Task<IEnumerable<Thing>> MoreAsync(CancellationToken ct)
    {
        var volumes = await CallAsync("DescribeVolumes", "look for volumes", () => client.DescribeVolumesByTagAsync(Ec2Cloud.SiteTag, wish.Site, ct));
        var addresses = await CallAsync("DescribeAddresses", "look for addresses", () => client.DescribeAddressesByTagAsync(Ec2Cloud.SiteTag, wish.Site, ct));
        return
        [
            .. addresses.Select(a => new Thing(ThingKind.Address, a.AllocationId, "elastic IP", $"{a.PublicIp}", Paid: true)),
            // A volume of a machine goes with it.
            .. volumes.Where(v => v.State != "deleting").Select(v => new Thing(ThingKind.Volume, v.VolumeId, "volume", $"{v.Size} GB", Paid: true) { Going = v.InstanceId is not null }),
            .. user is not null && await user.IsThereAsync(ct) ? (Thing[])[new(ThingKind.User, wish.Name, "IAM user")] : [],
        ];
    }

    private async Task OpenAsync(string group, CancellationToken ct)
    {
        var there = await CallAsync("DescribeSecurityGroups", "look at the security group", () => client.DescribeSecurityGroupsAsync([group], ct));
        var open = there.FirstOrDefault()?.Ingress ?? [];
        if (Ec2Opening.TooMuch(open, wish.Ports) is { IsEmpty: false } tooMuch)
        {
            await VoidAsync("RevokeSecurityGroupIngress", "close what is open beside the bastion's ports", () => client.RevokeSecurityGroupIngressAsync(group, tooMuch, ct));
        }

        if (Ec2Opening.Missing(open, wish.Ports) is { IsEmpty: false } missing)
        {
            await UnlessThereAsync("InvalidPermission.Duplicate", () => VoidAsync("AuthorizeSecurityGroupIngress", "open the bastion's ports", () =>
                client.AuthorizeSecurityGroupIngressAsync(group, missing, ct)));
        }
    }

    /// <summary>Under one client token there is one machine, however often it is asked for. Another size is another token, after a plain refusal.</summary>
    private async Task RunAsync(MakingSight seen, MakingJournal journal, CancellationToken ct)
    {
        if (journal.Notes.Attempt is null)
        {
            var image = await CallAsync("DescribeImages", "look for the image", () => ImageAsync(ct));
            journal.Write(journal.Notes with { Attempt = new MakingAttempt(NewToken(), wish.Sizes[0], image.ImageId, image.RootDeviceName, seen.Key!, seen.Firewall!) });
        }

        while (true)
        {
            var attempt = journal.Notes.Attempt!;
            try
            {
                var made = await CallAsync("RunInstances", "make the machine", () => client.RunInstancesAsync(Instance(attempt), dryRun: false, ct));
                if (made!.State is not ("shutting-down" or "terminated"))
                {
                    journal.Write(journal.Notes.On(made.InstanceId));
                    return;
                }

                // What this token made is gone: somebody has ended it.
                journal.Write(journal.Notes.WithoutMachine() with { Attempt = attempt with { Token = NewToken() } });
            }
            catch (CloudException e) when (e.InnerException is Ec2Exception { Code: Ec2MakingErrors.TokenOfTheTerminated })
            {
                journal.Write(journal.Notes.WithoutMachine() with { Attempt = attempt with { Token = NewToken() } });
            }
            catch (CloudException e) when (e.InnerException is Ec2Exception { Code: var code } && Ec2Errors.IsCapacity(code) && NextSize(attempt.Size) is { } size)
            {
                journal.Write(journal.Notes with { Attempt = attempt with { Token = NewToken(), Size = size } });
            }
        }
    }

    private string? NextSize(string size) => wish.Sizes.IndexOf(size) is var i and >= 0 && i + 1 < wish.Sizes.Length ? wish.Sizes[i + 1] : null;

    private Ec2NewInstance Instance(MakingAttempt a) => new(a.Token, a.Image, a.Size, a.Key, [a.Firewall], _tags, UserData.Render(wish.Ports, hostKey: null)) { RootDeviceName = a.RootDevice, VolumeSize = DiskGigabytes };

    /// <summary>The provider's console names it, and the machine proves to have it: neither is believed alone.</summary>
    private async Task HostKeyAsync(SeenMachine machine, MakingJournal journal, CancellationToken ct)
    {
        var console = await CallAsync("GetConsoleOutput", "read the machine's console", () => client.GetConsoleOutputAsync(machine.Id, ct));
        var named = ConsoleText.Read(console.Output);
        if (named.Problem != ConsoleProblem.None || await shell.OfferedAsync(new SetupTarget(machine.Addresses, wish.Ports, [], []), ct) is not { } offered)
        {
            return;   // not yet
        }

        var judgement = FirstPin.Judge(named, offered);
        if (judgement.Verdict == FirstPinVerdict.Mismatch)
        {
            throw new MakingException($"{machine.Id}: {judgement.Why}. Somebody may be in between: run this again from another line; nothing was sent");
        }

        if (judgement.Key is { } key)
        {
            journal.Write(journal.Notes with { HostKeys = [key] });
        }
    }

    private async Task<Ec2Image> ImageAsync(CancellationToken ct) =>
        (await client.DescribeImagesAsync(_source.Owner, _source.Name, Architecture, ct)).Where(i => i.RootDeviceName.Length > 0).MaxBy(i => i.CreationDate, StringComparer.Ordinal)
        ?? throw new MakingException($"there is no image {_source.Name} of owner {_source.Owner} in {wish.Region}: look at bastion.region");

    private async Task ReleaseAsync(Thing address, CancellationToken ct)
    {
        var now = (await CallAsync("DescribeAddresses", "look at the address", () => client.DescribeAddressesByTagAsync(Ec2Cloud.SiteTag, wish.Site, ct))).FirstOrDefault(a => a.AllocationId == address.Id);
        if (now?.AssociationId is { } association)
        {
            await VoidAsync("DisassociateAddress", "take the address away", () => client.DisassociateAddressAsync(association, ct));
        }

        await VoidAsync("ReleaseAddress", "give the address back", () => client.ReleaseAddressAsync(address.Id, ct));
    }

    private static InstanceState StateOf(string state) => state switch
    {
        "running" => InstanceState.Running,
        "pending" => InstanceState.Pending,
        "stopping" => InstanceState.Stopping,
        _ => InstanceState.Stopped,
    };

    private static string NewToken() => Guid.NewGuid().ToString("N");

    private static async Task UnlessThereAsync(string code, Func<Task> call)
    {
        try
        {
            await call();
        }
        catch (CloudException e) when (e.InnerException is Ec2Exception x && x.Code == code)
        {
            // An earlier answer was lost; the next look shows it.
        }
    }

    private Task<bool> VoidAsync(string right, string doing, Func<Task> call) => CallAsync(right, doing, async () =>
    {
        await call();
        return true;
    });

    private async Task<T> CallAsync<T>(string right, string doing, Func<Task<T>> call)
    {
        try
        {
            return await call();
        }
        catch (Ec2Exception e)
        {
            throw Ec2MakingErrors.ToCloud(e, "ec2:" + right, doing, wish.Region);
        }
    }
}
