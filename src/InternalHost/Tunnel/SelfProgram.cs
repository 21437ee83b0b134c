using System.Collections.Immutable;
using System.Runtime.InteropServices;

namespace InternalHost.Tunnel;

/// <summary>How this program is run once more, as a helper of a child: the words to run, and the environment they need.</summary>
internal sealed record SelfProgram(ImmutableArray<string> Words, IReadOnlyDictionary<string, string> Environment)
{
    private const string Name = "internalhost";

    /// <summary>
    /// The running executable where it is ours; else the one lying beside our assembly (tests, <c>dotnet internalhost.dll</c>); else
    /// the runtime's own <c>dotnet</c> with that assembly.
    /// </summary>
    public static SelfProgram Default()
    {
        var beside = Path.Combine(AppContext.BaseDirectory, Name);
        if (Path.GetFileName(System.Environment.ProcessPath) == Name)
        {
            return new([System.Environment.ProcessPath!], RuntimeEnvironment());
        }

        return File.Exists(beside)
            ? new([beside], RuntimeEnvironment())
            : new([Path.Combine(RuntimeRoot() ?? "/usr/lib/dotnet", "dotnet"), beside + ".dll"], RuntimeEnvironment());
    }

    /// <summary>Children get a clean environment, but an executable that shares the machine's runtime has to find it.</summary>
    private static Dictionary<string, string> RuntimeEnvironment()
    {
        var environment = new Dictionary<string, string>(StringComparer.Ordinal) { ["DOTNET_EnableDiagnostics"] = "0" };
        if (RuntimeRoot() is { } root)
        {
            environment["DOTNET_ROOT"] = root;
        }

        return environment;
    }

    /// <summary>ROOT of ROOT/shared/Microsoft.NETCore.App/VERSION; null in a self-contained program.</summary>
    private static string? RuntimeRoot()
    {
        var root = Path.GetFullPath(Path.Combine(System.Runtime.InteropServices.RuntimeEnvironment.GetRuntimeDirectory(), "../../.."));
        return File.Exists(Path.Combine(root, "dotnet")) ? root : null;
    }
}
