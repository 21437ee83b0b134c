using System.Globalization;
using System.Net;

namespace InternalHost.Cloud.DigitalOcean;

/// <summary>A reserved IP of the team, in the Droplet's region. It is free again when its Droplet is destroyed.</summary>
internal sealed class ReservedAddress(DigitalOceanClient client, IPAddress address) : IAddressKeeper
{
    public async Task HoldAsync(string instanceId, CancellationToken ct)
    {
        var droplet = long.Parse(instanceId, CultureInfo.InvariantCulture);
        try
        {
            var kept = await client.ReservedAddressAsync(address, ct)
                ?? throw new CloudException(CloudFailure.NotFound, $"{address} is no reserved IP of this team: look at bastion.fixed_address");
            switch (kept.Droplet)
            {
                case null:
                    await client.AssignAddressAsync(address, droplet, ct);
                    break;
                case { Id: var other } when other != droplet:
                    throw new CloudException(CloudFailure.Denied, $"{address} leads to Droplet {other}: if that is not needed, unassign it in the control panel");
            }
        }
        catch (DigitalOceanException e)
        {
            throw DigitalOceanErrors.ToCloud(e, $"lead {address} to Droplet {instanceId}");
        }
    }
}
