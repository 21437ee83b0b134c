using Common.Processes;

namespace Lab.Demo;

/// <summary>The real programs as they were built, run by the same dotnet that runs us.</summary>
internal static class Programs
{
    private static readonly string Dotnet =
        Environment.ProcessPath is { } path && Path.GetFileName(path) == "dotnet" ? path : "dotnet";

    /// <summary>A child's environment is clean; these tell it what machine it is on.</summary>
    private static readonly string[] Passed = ["BASTION_SSHD", "DOTNET_ROOT", "XDG_RUNTIME_DIR"];

    /// <summary>No program of ours sends by a proxy that its environment names: this one leads nowhere.</summary>
    private static readonly string[] Proxies = ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"];

    public static ProcessSpec InternalHost(params string[] arguments) =>
        new(Dotnet, [Repository.Assembly("InternalHost", "internalhost"), .. arguments]) { Environment = Surroundings };

    /// <summary>Ourselves, as another machine.</summary>
    public static ProcessSpec Lab(params string[] arguments) =>
        new(Dotnet, [Path.Combine(AppContext.BaseDirectory, "lab.dll"), .. arguments]) { Environment = Surroundings };

    /// <summary>In the form of a local cloud's settings.</summary>
    public static object Agent(string settingsFile) => new
    {
        program = Dotnet,
        arguments = (string[])[Repository.Assembly("Bastion", "bastion"), "agent", "--config", settingsFile],
        environment = Surroundings,
    };

    private static Dictionary<string, string> Surroundings
    {
        get
        {
            var environment = new Dictionary<string, string>(StringComparer.Ordinal) { ["DOTNET_NOLOGO"] = "1" };
            foreach (var name in Proxies)
            {
                environment[name] = "http://127.0.0.1:9";
            }

            foreach (var name in Passed)
            {
                if (Environment.GetEnvironmentVariable(name) is { Length: > 0 } value)
                {
                    environment[name] = value;
                }
            }

            return environment;
        }
    }
}
