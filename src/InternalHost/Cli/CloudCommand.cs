using System.CommandLine;

namespace InternalHost.Cli;

/// <summary><c>internalhost cloud</c>: what lies at the provider, in peace time.</summary>
internal static class CloudCommand
{
    public static Command Build() => new("cloud", """
        The bastion's machine at the cloud provider: made and taken away again; what lies there seen, adopted, removed.
        Examples: internalhost cloud plan
                  sudo AWS_PROFILE=owner internalhost cloud create
                  internalhost cloud list
        """)
    {
        CloudPlanCommand.Build(),
        CloudCreateCommand.Build(),
        CloudRemoveCommand.Build(),
        CloudListCommand.Build(),
        CloudListCommand.Adopt(),
        CloudListCommand.Discard(),
    };
}
