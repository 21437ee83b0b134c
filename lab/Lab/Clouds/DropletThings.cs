using System.Collections.Immutable;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace Lab.Clouds;

public sealed record LabSshKey(long Id, string Name, string PublicKey);

/// <param name="Rules">As they came.</param>
public sealed record LabFirewall(string Id, string Name, ImmutableArray<string> Tags, JsonArray Inbound, JsonArray Outbound)
{
    public IEnumerable<string> OpenPorts => Inbound.Select(r => (string)r!["ports"]!);
}

/// <summary>SSH keys, cloud firewalls and tags of the account.</summary>
internal sealed partial class DropletThings
{
    private readonly Lock _gate = new();
    private readonly SortedDictionary<long, LabSshKey> _keys = [];   // the three and _last are guarded by _gate
    private readonly SortedDictionary<string, LabFirewall> _firewalls = new(StringComparer.Ordinal);
    private readonly SortedSet<string> _tags = new(StringComparer.Ordinal);
    private long _last = 500_000;

    public ImmutableArray<LabSshKey> Keys
    {
        get
        {
            lock (_gate)
            {
                return [.. _keys.Values];
            }
        }
    }

    public ImmutableArray<LabFirewall> Firewalls
    {
        get
        {
            lock (_gate)
            {
                return [.. _firewalls.Values];
            }
        }
    }

    public ImmutableArray<string> Tags
    {
        get
        {
            lock (_gate)
            {
                return [.. _tags];
            }
        }
    }

    public LabSshKey AddKey(string name, string publicKey)
    {
        lock (_gate)
        {
            if (_keys.Values.Any(k => k.PublicKey == publicKey))
            {
                throw new DropletRefusal(422, "unprocessable_entity", "SSH Key is already in use on your account");
            }

            return _keys[++_last] = new LabSshKey(_last, name, publicKey);
        }
    }

    public void RemoveKey(long id) => Remove(() => _keys.Remove(id));

    public void AddTag(string name)
    {
        lock (_gate)
        {
            _tags.Add(name);
        }
    }

    public string Tag(string name) => Tags.Contains(name) ? name : throw Missing();

    public void RemoveTag(string name) => Remove(() => _tags.Remove(name));

    /// <param name="id">Null: a new one.</param>
    public LabFirewall Put(string? id, JsonObject body)
    {
        lock (_gate)
        {
            var name = (string)body["name"]!;
            var tags = body["tags"] is JsonArray list ? list.Select(t => (string)t!).ToImmutableArray() : [];
            if (!NameOfFirewall().IsMatch(name) || tags.Any(t => !_tags.Contains(t)))
            {
                throw new DropletRefusal(422, "unprocessable_entity", "a firewall needs a name of letters, digits, dots and dashes, and tags that are there");
            }

            if (id is null && _firewalls.Values.Any(f => f.Name == name))
            {
                throw new DropletRefusal(409, "conflict", "duplicate name");
            }

            if (id is not null && !_firewalls.ContainsKey(id))
            {
                throw Missing();
            }

            id ??= Guid.NewGuid().ToString();
            return _firewalls[id] = new LabFirewall(id, name, tags, Rules(body, "inbound_rules"), Rules(body, "outbound_rules"));
        }
    }

    public void RemoveFirewall(string id) => Remove(() => _firewalls.Remove(id));

    private void Remove(Func<bool> remove)
    {
        lock (_gate)
        {
            if (!remove())
            {
                throw Missing();
            }
        }
    }

    private static JsonArray Rules(JsonObject body, string name) => body[name]?.DeepClone() as JsonArray ?? [];

    private static DropletRefusal Missing() => new(404, "not_found", "The resource you were accessing could not be found.");

    [GeneratedRegex("^[a-zA-Z0-9][a-zA-Z0-9.-]+$")]
    private static partial Regex NameOfFirewall();
}
