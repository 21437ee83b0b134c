using Common.Processes;
using InternalHost.Cloud.Local;
using InternalHost.Configuration;

namespace InternalHost.Cloud;

internal static class CloudFactory
{
    /// <exception cref="CloudConfigurationException">The provider is not in this version, or lacks a setting.</exception>
    public static ICloud Create(SiteOptions options, IProcessLauncher launcher, TimeProvider time) => options.Bastion.Cloud switch
    {
        CloudKind.Local => new LocalCloud(new LocalCloudClient(options.Bastion.LocalSocket ?? throw Missing("local", "the socket of 'internalhost local-cloud'"), time)),
        CloudKind.Static => new StaticCloud([options.Bastion.Address ?? throw Missing("static", "an address")]),
        CloudKind.Command => new CommandCloud(options.Bastion.Commands ?? throw Missing("command", "commands to describe, start and stop the VM"), launcher, time),
        CloudKind.Ec2 => throw NotYet("ec2"),
        CloudKind.DigitalOcean => throw NotYet("digitalocean"),
        _ => throw new CloudConfigurationException($"cloud: {options.Bastion.Cloud} is no provider; use local, static or command"),
    };

    private static CloudConfigurationException NotYet(string kind) => new($"cloud: {kind} is not in this version; use local, static or command");

    private static CloudConfigurationException Missing(string kind, string what) => new($"cloud: {kind} needs {what}");
}

internal sealed class CloudConfigurationException(string message) : Exception(message);
