using System.CommandLine;

namespace InternalHost.Cli;

/// <summary><c>internalhost cloud</c>: what lies at the provider, in peace time.</summary>
internal static class CloudCommand
{
    public static Command Build() => new("cloud", "What lies at the cloud provider for this site: seen, adopted, removed.")
    {
        CloudListCommand.Build(),
        CloudListCommand.Adopt(),
        CloudListCommand.Discard(),
    };
}
