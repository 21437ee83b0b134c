using System.Globalization;
using System.Text.Json.Nodes;

namespace Lab.Clouds;

/// <summary>The JSON of DigitalOcean's API v2, with all that its description requires.</summary>
internal static class DropletAnswer
{
    private const int Disk = 10;
    private const int Memory = 512;

    public static JsonNode Droplet(LabDroplet d) => new JsonObject
    {
        ["id"] = d.Id,
        ["name"] = d.Name,
        ["memory"] = Memory,
        ["vcpus"] = 1,
        ["disk"] = Disk,
        ["locked"] = false,
        ["status"] = d.Status,
        ["created_at"] = Time(d.CreatedAt),
        ["features"] = new JsonArray("ipv6"),
        ["backup_ids"] = new JsonArray(),
        ["next_backup_window"] = null,
        ["snapshot_ids"] = new JsonArray(),
        ["image"] = new JsonObject { ["id"] = long.TryParse(d.Image, CultureInfo.InvariantCulture, out var image) ? image : 1, ["name"] = "snapshot", ["type"] = "snapshot", ["regions"] = new JsonArray(d.Region), ["min_disk_size"] = Disk },
        ["volume_ids"] = new JsonArray(),
        ["size"] = Size(d),
        ["size_slug"] = d.Size,
        ["networks"] = new JsonObject
        {
            // Given a little later than the Droplet itself.
            ["v4"] = d.Status == "new" ? new JsonArray() : new JsonArray(V4(d.V4.ToString(), "public"), V4("10.0.0.2", "private")),
            ["v6"] = d.Status == "new" ? new JsonArray() : new JsonArray(new JsonObject { ["ip_address"] = d.V6.ToString(), ["netmask"] = 64, ["gateway"] = "2001:db8::1", ["type"] = "public" }),
        },
        ["region"] = new JsonObject
        {
            ["name"] = d.Region,
            ["slug"] = d.Region,
            ["features"] = new JsonArray("ipv6"),
            ["available"] = true,
            ["sizes"] = new JsonArray(d.Size),
        },
        ["tags"] = new JsonArray([.. d.Tags.Select(t => (JsonNode)t)]),
    };

    public static JsonNode Action(LabAction a) => new JsonObject
    {
        ["id"] = a.Id,
        ["status"] = a.Status,
        ["type"] = a.Type,
        ["started_at"] = Time(a.StartedAt),
        ["completed_at"] = Time(a.StartedAt),
        ["resource_id"] = a.Droplet,
        ["resource_type"] = "droplet",
        ["region_slug"] = "fra1",
    };

    public static JsonNode Snapshot(LabSnapshot s) => new JsonObject
    {
        ["id"] = s.Id.ToString(CultureInfo.InvariantCulture),
        ["name"] = s.Name,
        ["created_at"] = Time(s.CreatedAt),
        ["regions"] = new JsonArray([.. s.Regions.Select(r => (JsonNode)r)]),
        ["resource_id"] = "1",
        ["resource_type"] = "droplet",
        ["min_disk_size"] = Disk,
        ["size_gigabytes"] = 1.4,
        ["tags"] = new JsonArray(),
    };

    public static JsonNode Key(LabSshKey k) => new JsonObject { ["id"] = k.Id, ["fingerprint"] = "3b:16:e4:bf:8b:00:8b:b8:59:8c:a9:d3:f0:19:fa:45", ["name"] = k.Name, ["public_key"] = k.PublicKey };

    public static JsonNode Tag(string name) => new JsonObject { ["name"] = name, ["resources"] = new JsonObject { ["count"] = 0, ["droplets"] = new JsonObject { ["count"] = 0 } } };

    public static JsonNode Firewall(LabFirewall f) => new JsonObject
    {
        ["id"] = f.Id,
        ["name"] = f.Name,
        ["status"] = "succeeded",
        ["created_at"] = "2026-11-22T02:00:00Z",
        ["pending_changes"] = new JsonArray(),
        ["droplet_ids"] = new JsonArray(),
        ["tags"] = new JsonArray([.. f.Tags.Select(t => (JsonNode)t)]),
        ["inbound_rules"] = f.Inbound.DeepClone(),
        ["outbound_rules"] = f.Outbound.DeepClone(),
    };

    public static JsonNode Volume(LabDropletVolume v) => new JsonObject
    {
        ["id"] = v.Id,
        ["droplet_ids"] = new JsonArray(),
        ["name"] = v.Name,
        ["description"] = "",
        ["size_gigabytes"] = v.Gigabytes,
        ["created_at"] = Time(v.CreatedAt),
        ["region"] = new JsonObject
        {
            ["name"] = v.Region,
            ["slug"] = v.Region,
            ["features"] = new JsonArray("storage"),
            ["available"] = true,
            ["sizes"] = new JsonArray("s-1vcpu-1gb"),
        },
        ["filesystem_type"] = "ext4",
        ["filesystem_label"] = "",
        ["tags"] = new JsonArray(v.Tag),
    };

    private static JsonObject Size(LabDroplet d) => new()
    {
        ["slug"] = d.Size,
        ["memory"] = Memory,
        ["vcpus"] = 1,
        ["disk"] = Disk,
        ["transfer"] = 0.5,
        ["price_monthly"] = 4.0,
        ["price_hourly"] = 0.00595,
        ["regions"] = new JsonArray(d.Region),
        ["available"] = true,
        ["description"] = "Basic",
    };

    private static JsonObject V4(string address, string type) => new()
    {
        ["ip_address"] = address,
        ["netmask"] = "255.255.255.0",
        ["gateway"] = "203.0.113.254",
        ["type"] = type,
    };

    private static string Time(DateTimeOffset at) => at.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);
}
