using System.Net;
using Common.Processes;
using InternalHost.Cloud.DigitalOcean;
using InternalHost.Cloud.Ec2;
using InternalHost.Cloud.Local;
using InternalHost.Configuration;
using InternalHost.Wan.Http;
using Microsoft.Extensions.Logging;

namespace InternalHost.Cloud;

internal static class CloudFactory
{
    /// <exception cref="CloudConfigurationException">The provider is not in this version, or lacks a setting.</exception>
    /// <param name="http">By which the provider's API is asked.</param>
    public static ICloud Create(SiteOptions options, IProcessLauncher launcher, UplinkHttp http, TimeProvider time, ILoggerFactory logs) => options.Bastion.Cloud switch
    {
        CloudKind.Local => new LocalCloud(new LocalCloudClient(options.Bastion.LocalSocket ?? throw Missing("local", "the socket of 'internalhost local-cloud'"), time)),
        CloudKind.Static => new StaticCloud([options.Bastion.Address ?? throw Missing("static", "an address")]),
        CloudKind.Command => new CommandCloud(options.Bastion.Commands ?? throw Missing("command", "commands to describe, start and stop the VM"), launcher, time),
        CloudKind.Ec2 => Ec2(options.Bastion.Api ?? throw Missing("ec2", "a region"), options.Site, options.Bastion.FixedAddress, http, time, logs),
        CloudKind.DigitalOcean => Droplets(options.Bastion.Api ?? throw Missing("digitalocean", "a region"), options.Site, options.Bastion.FixedAddress, http, time, logs),
        _ => throw new CloudConfigurationException($"cloud: {options.Bastion.Cloud} is no provider; use ec2, digitalocean, local, static or command"),
    };

    private static ICloud Ec2(CloudApiOptions ec2, string site, IPAddress? kept, UplinkHttp http, TimeProvider time, ILoggerFactory logs)
    {
        var transport = new Ec2Transport(Ec2Endpoint.Of(ec2.Region, ec2.Endpoint), ec2.SecretFile, http.CreateHandler());
        var client = new Ec2Client(transport);
        var cloud = new Ec2Cloud(client, site, ec2.Sizes, time, logs.CreateLogger<Ec2Cloud>());
        return kept is null ? cloud : new FixedAddress(cloud, new ElasticAddress(client, kept), kept, time, logs.CreateLogger<FixedAddress>());
    }

    private static ICloud Droplets(CloudApiOptions api, string site, IPAddress? kept, UplinkHttp http, TimeProvider time, ILoggerFactory logs)
    {
        var calls = new DigitalOceanHttp(api.Endpoint ?? DigitalOceanHttp.Public, api.SecretFile ?? throw Missing("digitalocean", "a secret"), http.CreateHandler(), time);
        var client = new DigitalOceanClient(calls);
        var cloud = new DropletCloud(client, site, api.Region, api.Sizes, time, logs.CreateLogger<DropletCloud>(), mayHaveAsked: true);
        return kept is null ? cloud : new FixedAddress(cloud, new ReservedAddress(client, kept), kept, time, logs.CreateLogger<FixedAddress>());
    }

    private static CloudConfigurationException Missing(string kind, string what) => new($"cloud: {kind} needs {what}");
}

internal sealed class CloudConfigurationException(string message) : Exception(message);
