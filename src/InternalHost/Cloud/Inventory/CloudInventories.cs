using InternalHost.Cloud.DigitalOcean;
using InternalHost.Cloud.Ec2;
using InternalHost.Configuration;
using InternalHost.Wan.Http;

namespace InternalHost.Cloud.Inventory;

internal static class CloudInventories
{
    /// <summary>Null: this provider has no list of what is there.</summary>
    /// <param name="ownersKey">EC2: by the environment's or profile's credential, which may do more than the daemon's.</param>
    public static ICloudInventory? Create(SiteOptions site, UplinkHttp http, TimeProvider time, bool ownersKey = false) => (site.Bastion.Cloud, site.Bastion.Api) switch
    {
        (CloudKind.Ec2, { } api) => new Ec2Inventory(
            new Ec2Client(new Ec2Transport(Ec2Endpoint.Of(api.Region, api.Endpoint), ownersKey ? null : api.SecretFile, http.CreateHandler())), site.Site, api.Region),
        (CloudKind.DigitalOcean, { SecretFile: { } token } api) => new DropletInventory(
            new DigitalOceanClient(new DigitalOceanHttp(api.Endpoint ?? DigitalOceanHttp.Public, token, http.CreateHandler(), time)), site.Site, api.Region),
        _ => null,
    };
}
