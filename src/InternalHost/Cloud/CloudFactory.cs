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
        CloudKind.Ec2 => Ec2(options.Bastion.Api ?? throw Missing("ec2", "a region"), options.Site, http, time, logs),
        CloudKind.DigitalOcean => Droplets(options.Bastion.Api ?? throw Missing("digitalocean", "a region"), options.Site, http, time, logs),
        _ => throw new CloudConfigurationException($"cloud: {options.Bastion.Cloud} is no provider; use ec2, digitalocean, local, static or command"),
    };

    private static Ec2Cloud Ec2(CloudApiOptions ec2, string site, UplinkHttp http, TimeProvider time, ILoggerFactory logs)
    {
        var transport = new Ec2Transport(Ec2Endpoint.Of(ec2.Region, ec2.Endpoint), ec2.SecretFile, http.CreateHandler());
        return new Ec2Cloud(new Ec2Client(transport), site, ec2.Sizes, time, logs.CreateLogger<Ec2Cloud>());
    }

    private static DropletCloud Droplets(CloudApiOptions api, string site, UplinkHttp http, TimeProvider time, ILoggerFactory logs)
    {
        var calls = new DigitalOceanHttp(api.Endpoint ?? DigitalOceanHttp.Public, api.SecretFile ?? throw Missing("digitalocean", "a secret"), http.CreateHandler(), time);
        return new DropletCloud(new DigitalOceanClient(calls), site, api.Region, api.Sizes, time, logs.CreateLogger<DropletCloud>(), mayHaveAsked: true);
    }

    private static CloudConfigurationException Missing(string kind, string what) => new($"cloud: {kind} needs {what}");
}

internal sealed class CloudConfigurationException(string message) : Exception(message);
