using System.Net;
using System.Text.Json.Serialization;

namespace InternalHost.Cloud.DigitalOcean;

/// <param name="Droplet">To which it leads; null: to none.</param>
internal sealed record ReservedIp(string Ip, ReservedFor? Droplet);

internal sealed record ReservedFor(long Id);

internal sealed record ReservedIpReply(ReservedIp? ReservedIp);

internal sealed record AssignAction(string Type, long DropletId);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(ReservedIpReply))]
[JsonSerializable(typeof(AssignAction))]
[JsonSerializable(typeof(ActionReply))]
internal sealed partial class AddressJson : JsonSerializerContext;

internal sealed partial class DigitalOceanClient
{
    /// <summary>Null: it is none of this team.</summary>
    public async Task<ReservedIp?> ReservedAddressAsync(IPAddress address, CancellationToken ct)
    {
        try
        {
            return (await http.GetAsync($"reserved_ips/{address}", AddressJson.Default.ReservedIpReply, ct)).ReservedIp ?? throw Strange("reserved IP");
        }
        catch (DigitalOceanException e) when (e.IsNotFound)
        {
            return null;
        }
    }

    /// <summary>Accepted; it is carried out within seconds.</summary>
    public Task AssignAddressAsync(IPAddress address, long droplet, CancellationToken ct) => http.PostAsync(
        $"reserved_ips/{address}/actions", new AssignAction("assign", droplet), AddressJson.Default.AssignAction, AddressJson.Default.ActionReply, ct);
}
