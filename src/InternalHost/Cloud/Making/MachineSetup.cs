using System.Collections.Immutable;
using System.Security.Cryptography;

namespace InternalHost.Cloud.Making;

/// <summary>Makes a machine a bastion: the package over SSH, then its own <c>bastion install</c>.</summary>
/// <param name="package">The file of the Debian package.</param>
/// <param name="firstAccount">Of the image.</param>
/// <param name="say">What the machine says meanwhile.</param>
internal sealed class MachineSetup(ISetupShell shell, MakingWish wish, int forwardPort, string siteKey, string package, string firstAccount, Action<string> say)
{
    /// <summary>When it returns, the maintenance account has been let in.</summary>
    public async Task InstallAsync(SeenMachine machine, MakingNotes notes, CancellationToken ct)
    {
        var bytes = await File.ReadAllBytesAsync(package, ct);
        var facts = new SetupFacts(wish.Site, wish.Ports, forwardPort, wish.MaintenanceKey, siteKey, Path.GetFileName(package), Convert.ToHexStringLower(SHA256.HashData(bytes)));
        // An earlier run may have come so far that the first account is shut out.
        var target = new SetupTarget(machine.Addresses, wish.Ports, notes.HostKeys, [firstAccount, SetupScript.MaintenanceAccount]);
        await shell.RunAsync(target, SetupScript.Install(facts, firstAccount), bytes, say, ct);
        await shell.RunAsync(target with { Accounts = [SetupScript.MaintenanceAccount] }, "true", default, say, ct);
    }
}

/// <summary>The bastion's Debian package.</summary>
internal static class PackageFile
{
    private const string Pattern = "bastion_*_amd64.deb";

    /// <summary>Where a package of internalhost puts it.</summary>
    private static readonly ImmutableArray<string> Folders = [AppContext.BaseDirectory, ".", "packages", "/usr/share/internalhost", "/usr/lib/internalhost"];

    /// <param name="named">By the owner; null: looked for.</param>
    /// <exception cref="MakingException">It is not there, or is no such package.</exception>
    public static string Find(string? named)
    {
        if (named is not null)
        {
            return !File.Exists(named) ? throw new MakingException($"--package {named}: there is no such file")
                : IsPackageName(Path.GetFileName(named)) ? Path.GetFullPath(named)
                : throw new MakingException($"--package {named}: a file named {Pattern} is needed");
        }

        return Folders.Where(Directory.Exists).SelectMany(f => Directory.EnumerateFiles(f, Pattern)).OrderByDescending(f => f, StringComparer.Ordinal).FirstOrDefault() is { } found
            ? Path.GetFullPath(found)
            : throw new MakingException($"the bastion's package ({Pattern}) is not here: build it (infra/package bastion), or name it with --package");
    }

    /// <summary>It becomes a word of a script.</summary>
    private static bool IsPackageName(string name) =>
        name.StartsWith("bastion_", StringComparison.Ordinal) && name.EndsWith(".deb", StringComparison.Ordinal) && name.All(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '_' or '-' or '+' or '~');
}
