using System.Collections.Immutable;
using System.Net;
using Common.Processes;
using InternalHost.Cloud.DigitalOcean;
using InternalHost.Cloud.Ec2;
using InternalHost.Configuration;
using InternalHost.Wan.Http;
using InternalHost.Wan.Links;

namespace InternalHost.Naming;

internal static class NameFactory
{
    /// <summary>Null: the record is the owner's own.</summary>
    /// <param name="http">By which the provider's API is asked.</param>
    public static INameRecords? Create(SiteOptions site, IProcessLauncher launcher, UplinkHttp http, TimeProvider time) => site.Bastion.Dns switch
    {
        null => null,
        { Provider: NameProvider.Command } dns => new CommandNames(dns.Command, launcher, time),
        { Provider: NameProvider.DigitalOcean, SecretFile: { } secret, Zone: { } zone } dns =>
            new DomainNames(new DigitalOceanClient(new DigitalOceanHttp(dns.Endpoint ?? DigitalOceanHttp.Public, secret, http.CreateHandler(), time)), zone),
        { Provider: NameProvider.Route53, Zone: { } zone } dns =>
            new Route53Names(new Ec2Transport(Ec2Endpoint.Route53(dns.Endpoint), dns.SecretFile, http.CreateHandler(), AwsService.Route53), zone),
        var dns => throw new InvalidOperationException($"bastion.dns: {dns.Provider} is no provider"),
    };

    /// <summary>What DNS says of the name to anybody; nothing where it says nothing.</summary>
    public static async Task<ImmutableArray<IPAddress>> AskAsync(UplinkResolver resolver, UplinkOptions by, string name, CancellationToken ct)
    {
        try
        {
            return (await resolver.ResolveAsync(by, name, ct)).Fresh;
        }
        catch (UplinkException)
        {
            return [];
        }
    }
}
