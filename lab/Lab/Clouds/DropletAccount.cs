using System.Collections.Immutable;
using System.Net;

namespace Lab.Clouds;

/// <summary>One Droplet of the stand-in as it is at one moment.</summary>
/// <param name="Status">new, active, off.</param>
public sealed record LabDroplet(long Id, string Name, string Region, string Size, string Image, string Status, DateTimeOffset CreatedAt, ImmutableArray<string> Tags)
{
    public string? UserData { get; init; }

    public IPAddress V4 => IPAddress.Parse($"203.0.113.{1 + (Id % 250)}");

    public IPAddress V6 => IPAddress.Parse($"2001:db8::{Id:x}");
}

/// <summary>How the stand-in behaves from now on.</summary>
public sealed record DropletBehaviour
{
    public TimeSpan BootsFor { get; init; } = TimeSpan.FromMilliseconds(50);

    /// <summary>A new Droplet is missing from lists for so long.</summary>
    public TimeSpan ListLag { get; init; }

    /// <summary>Sizes for which there is no room.</summary>
    public ImmutableHashSet<string> NoRoomFor { get; init; } = [];

    /// <summary>So many items to a page at most.</summary>
    public int PageSize { get; init; } = 200;
}

internal sealed record LabAction(long Id, long Droplet, string Type, string Status, DateTimeOffset StartedAt);

internal sealed record LabSnapshot(long Id, string Name, ImmutableArray<string> Regions, DateTimeOffset CreatedAt);

internal sealed record LabDropletVolume(string Id, string Name, string Region, int Gigabytes, string Tag, DateTimeOffset CreatedAt);

/// <summary>DigitalOcean refuses.</summary>
internal sealed class DropletRefusal(int status, string id, string message) : Exception(message)
{
    public int Status { get; } = status;

    public string Id { get; } = id;
}

/// <summary>What an account holds.</summary>
internal sealed class DropletAccount(TimeProvider time)
{
    private readonly Lock _gate = new();
    private readonly SortedDictionary<long, LabDroplet> _droplets = [];   // all are guarded by _gate
    private readonly List<LabAction> _actions = [];
    private readonly List<LabSnapshot> _snapshots = [];
    private readonly List<LabDropletVolume> _volumes = [];
    private DropletBehaviour _behaviour = new();
    private long _last = 1000;
    private int _made;

    public DropletBehaviour Behaviour
    {
        get
        {
            lock (_gate)
            {
                return _behaviour;
            }
        }

        set
        {
            lock (_gate)
            {
                _behaviour = value;
            }
        }
    }

    public int MostAtOnce { get; private set; }

    public ImmutableArray<LabDroplet> Droplets
    {
        get
        {
            lock (_gate)
            {
                return [.. _droplets.Values.Select(NowLocked)];
            }
        }
    }

    public ImmutableArray<LabSnapshot> Snapshots
    {
        get
        {
            lock (_gate)
            {
                return [.. _snapshots];
            }
        }
    }

    public ImmutableArray<LabDropletVolume> Volumes
    {
        get
        {
            lock (_gate)
            {
                return [.. _volumes];
            }
        }
    }

    public string AddVolume(string name, int gigabytes, string tag)
    {
        lock (_gate)
        {
            var volume = new LabDropletVolume($"{Guid.NewGuid()}", name, "fra1", gigabytes, tag, time.GetUtcNow());
            _volumes.Add(volume);
            return volume.Id;
        }
    }

    public void DestroyVolume(string id)
    {
        lock (_gate)
        {
            if (_volumes.RemoveAll(v => v.Id == id) == 0)
            {
                throw Missing();
            }
        }
    }

    public void Tag(string tag, IEnumerable<long> droplets)
    {
        lock (_gate)
        {
            foreach (var droplet in droplets.Select(HeldLocked).ToList())
            {
                _droplets[droplet.Id] = droplet with { Tags = [.. droplet.Tags.Remove(tag), tag] };
            }
        }
    }

    public IEnumerable<LabDroplet> Listed(string? tag)
    {
        var shownBefore = time.GetUtcNow() - Behaviour.ListLag;
        return Droplets.Where(d => d.CreatedAt <= shownBefore && (tag is null || d.Tags.Contains(tag)));
    }

    public LabDroplet Get(long id)
    {
        lock (_gate)
        {
            return NowLocked(HeldLocked(id));
        }
    }

    public int Made
    {
        get
        {
            lock (_gate)
            {
                return _made;
            }
        }
    }

    /// <param name="userData">Null: none.</param>
    public LabDroplet Create(string name, string region, string size, string image, ImmutableArray<string> tags, string? userData = null)
    {
        lock (_gate)
        {
            if (_behaviour.NoRoomFor.Contains(size))
            {
                throw new DropletRefusal(422, "unprocessable_entity", "Size is not available in this region.");
            }

            var droplet = new LabDroplet(++_last, name, region, size, image, "new", time.GetUtcNow(), tags) { UserData = userData };
            _made++;
            _droplets[droplet.Id] = droplet;
            MostAtOnce = Math.Max(MostAtOnce, _droplets.Count);
            NoteLocked(droplet.Id, "create");
            return droplet;
        }
    }

    public LabAction Act(long id, string type, string? name)
    {
        lock (_gate)
        {
            var droplet = NowLocked(HeldLocked(id));
            switch (type)
            {
                case "power_on":
                    _droplets[id] = droplet with { Status = "active" };
                    break;
                case "power_off" or "shutdown":
                    _droplets[id] = droplet with { Status = "off" };
                    break;
                case "snapshot" when name is not null:
                    _snapshots.Add(new LabSnapshot(++_last, name, [droplet.Region], time.GetUtcNow()));
                    break;
                default:
                    throw new DropletRefusal(422, "unprocessable_entity", $"{type} is no action, or lacks its name");
            }

            return NoteLocked(id, type);
        }
    }

    public void SwitchOff(long id)
    {
        lock (_gate)
        {
            _droplets[id] = HeldLocked(id) with { Status = "off" };
        }
    }

    public void Destroy(long id)
    {
        lock (_gate)
        {
            _droplets.Remove(HeldLocked(id).Id);
        }
    }

    public IEnumerable<LabAction> ActionsOf(long id)
    {
        lock (_gate)
        {
            return [.. _actions.Where(a => a.Droplet == HeldLocked(id).Id).Reverse()];
        }
    }

    public LabAction ActionOf(long id)
    {
        lock (_gate)
        {
            return _actions.Find(a => a.Id == id) ?? throw Missing();
        }
    }

    public long AddSnapshot(string name, ImmutableArray<string> regions)
    {
        lock (_gate)
        {
            _snapshots.Add(new LabSnapshot(++_last, name, regions, time.GetUtcNow()));
            return _last;
        }
    }

    public void DestroySnapshot(long id)
    {
        lock (_gate)
        {
            if (_snapshots.RemoveAll(s => s.Id == id) == 0)
            {
                throw Missing();
            }
        }
    }

    private LabAction NoteLocked(long droplet, string type)
    {
        var action = new LabAction(++_last, droplet, type, "completed", time.GetUtcNow());
        _actions.Add(action);
        return action;
    }

    private LabDroplet HeldLocked(long id) => _droplets.GetValueOrDefault(id) ?? throw Missing();

    private LabDroplet NowLocked(LabDroplet droplet) =>
        droplet.Status == "new" && time.GetUtcNow() - droplet.CreatedAt >= _behaviour.BootsFor ? droplet with { Status = "active" } : droplet;

    private static DropletRefusal Missing() => new(404, "not_found", "The resource you were accessing could not be found.");
}
