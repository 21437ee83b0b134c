using System.Collections.Immutable;
using System.Globalization;
using System.Text.Json.Nodes;

namespace Lab.Clouds;

/// <param name="Name">Relative to its domain, <c>@</c> for the domain itself.</param>
public sealed record LabDomainRecord(long Id, string Domain, string Type, string Name, string Data, int Ttl);

/// <summary>Domains of the account and their records, as DigitalOcean's API keeps them.</summary>
internal sealed class DomainRecords
{
    private const int UsualTtl = 1800;
    private const int LeastTtl = 30;

    private readonly Lock _gate = new();
    private readonly HashSet<string> _domains = new(StringComparer.Ordinal);   // guarded by _gate, as all below
    private readonly List<LabDomainRecord> _records = [];
    private long _last = 70_000_000;

    public ImmutableArray<LabDomainRecord> All
    {
        get
        {
            lock (_gate)
            {
                return [.. _records];
            }
        }
    }

    public void AddDomain(string domain)
    {
        lock (_gate)
        {
            _domains.Add(domain);
        }
    }

    public LabDomainRecord Add(string domain, string type, string name, string data, int? ttl)
    {
        lock (_gate)
        {
            Known(domain);
            if (ttl < LeastTtl || (type is "A" or "AAAA" && !System.Net.IPAddress.TryParse(data, out _)))
            {
                throw new DropletRefusal(422, "unprocessable_entity", ttl < LeastTtl ? $"TTL must be at least {LeastTtl}" : "IP address did not match IPv4 or IPv6 format");
            }

            var record = new LabDomainRecord(++_last, domain, type, name, data, ttl ?? UsualTtl);
            _records.Add(record);
            return record;
        }
    }

    /// <param name="name">Whole; null: all.</param>
    public ImmutableArray<LabDomainRecord> Of(string domain, string? name, string? type)
    {
        lock (_gate)
        {
            Known(domain);
            return [.. _records.Where(r => r.Domain == domain && (name is null || name == (r.Name == "@" ? domain : $"{r.Name}.{domain}")) && (type is null || type == r.Type))];
        }
    }

    public void Remove(string domain, long id)
    {
        lock (_gate)
        {
            Known(domain);
            if (_records.RemoveAll(r => r.Id == id && r.Domain == domain) == 0)
            {
                throw Unknown;
            }
        }
    }

    public static JsonObject Answer(LabDomainRecord record) => new()
    {
        ["id"] = record.Id,
        ["type"] = record.Type,
        ["name"] = record.Name,
        ["data"] = record.Data,
        ["priority"] = null,
        ["port"] = null,
        ["ttl"] = record.Ttl,
        ["weight"] = null,
        ["flags"] = null,
        ["tag"] = null,
    };

    /// <summary>The part of a request that a record is made of.</summary>
    public LabDomainRecord Add(string domain, JsonObject? body) => Add(
        domain, Word(body, "type"), Word(body, "name"), Word(body, "data"), body?["ttl"] is { } ttl ? int.Parse($"{ttl}", CultureInfo.InvariantCulture) : null);

    private static string Word(JsonObject? body, string key) => body?[key]?.ToString() ?? throw new DropletRefusal(422, "unprocessable_entity", $"{key} is required");

    private void Known(string domain)
    {
        if (!_domains.Contains(domain))
        {
            throw Unknown;
        }
    }

    private static DropletRefusal Unknown => new(404, "not_found", "The resource you requested could not be found.");
}
