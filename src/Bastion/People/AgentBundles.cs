using System.Collections.Immutable;
using System.Text;
using Bastion.Configuration;
using Bastion.Host;

namespace Bastion.People;

/// <summary>The agent's view of the bundles in force: read whenever they change, their secrets in files of its own, in RAM.</summary>
/// <param name="folder">As <see cref="BundleFolder"/> has them.</param>
/// <param name="secrets">The agent's own folder, made anew.</param>
internal sealed class AgentBundles(string folder, string secrets, string keys = Accounts.HostKeys)
{
    private const UnixFileMode Owner = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    /// <summary>Another text whenever a bundle came, changed or went.</summary>
    public string Mark()
    {
        try
        {
            return string.Join('|', Files().Select(f => $"{f.Name} {f.Length} {f.LastWriteTimeUtc.Ticks}"));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return "";
        }
    }

    /// <param name="say">Told what could not be used.</param>
    public AgentOptions Merge(AgentOptions options, Action<string> say)
    {
        if (Directory.Exists(secrets))
        {
            Directory.Delete(secrets, recursive: true);
        }

        var sites = ImmutableArray.CreateBuilder<AgentSite>();
        var bundles = new BundleFolder(folder);
        foreach (var label in Files().Select(f => Path.GetFileNameWithoutExtension(f.Name)))
        {
            if (bundles.Of(label) is not { } bundle)
            {
                say($"the bundle of {label} cannot be used by this version");
                continue;
            }

            var place = Path.Combine(secrets, label);
            Keep(place, bundle.Secrets);
            var site = new AgentSite(bundle, SiteMessagesReader.Read(bundle, name => Path.Combine(place, name)));
            site.Messages.LeftOut.ToList().ForEach(l => say($"{label}: a channel is not used: {l}"));
            sites.Add(site);
        }

        return AgentSites.Merge(options, sites.ToImmutable(), HostKeys());
    }

    private static void Keep(string place, IReadOnlyDictionary<string, string> values)
    {
        Directory.CreateDirectory(place, Owner | UnixFileMode.UserExecute);
        foreach (var (name, value) in values)
        {
            using var stream = new FileStream(Path.Combine(place, name), new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, UnixCreateMode = Owner });
            stream.Write(Encoding.ASCII.GetBytes(value));
        }
    }

    private IEnumerable<FileInfo> Files() =>
        Directory.Exists(folder) ? new DirectoryInfo(folder).EnumerateFiles("*.json").Where(f => f.Name[0] != '.').OrderBy(f => f.Name, StringComparer.Ordinal) : [];

    private IEnumerable<(string, string)> HostKeys()
    {
        try
        {
            return Directory.Exists(keys)
                ? [.. Directory.EnumerateFiles(keys).SelectMany(f => BundleSigners.KeysIn(File.ReadAllText(f)).Select(k => (Path.GetFileName(f), k)))]
                : [];
        }
        catch (UnauthorizedAccessException)
        {
            return [];
        }
    }
}
