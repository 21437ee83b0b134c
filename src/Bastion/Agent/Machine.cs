using System.Reflection;

namespace Bastion.Agent;

/// <summary>Facts about where we run.</summary>
internal static class Machine
{
    /// <summary>Another one after each start of the machine: monotonic time and connections mean nothing across it.</summary>
    public static string Boot => File.ReadAllText("/proc/sys/kernel/random/boot_id").Trim();

    public static string Version { get; } =
        typeof(Machine).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion.Split('+')[0] ?? "0";
}
