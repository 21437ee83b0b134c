namespace Lab;

/// <summary>Where this clone lies, and the programs that were built in it.</summary>
public static class Repository
{
    public static string Root { get; } = FindRoot();

    /// <summary>Debug or Release: the programs beside us are of the same kind as we are.</summary>
    private static string Configuration { get; } =
        AppContext.BaseDirectory.Contains($"{Path.DirectorySeparatorChar}Release{Path.DirectorySeparatorChar}", StringComparison.Ordinal) ? "Release" : "Debug";

    /// <param name="project">InternalHost or Bastion.</param>
    public static string Assembly(string project, string name) =>
        Path.Combine(Root, "src", project, "bin", Configuration, "net10.0", name + ".dll");

    private static string FindRoot()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "Bastion.sln")))
            {
                return folder.FullName;
            }
        }

        throw new DirectoryNotFoundException("the lab runs from a clone of the repository: Bastion.sln was not found above " + AppContext.BaseDirectory);
    }
}
