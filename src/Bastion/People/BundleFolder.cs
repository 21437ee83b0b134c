using System.Collections.Immutable;
using System.Globalization;
using System.Text;
using Bastion.Host;
using Common.Hosting;
using Common.Sync;

namespace Bastion.People;

/// <summary>
/// The bundles in force, one file a site (<c>LABEL.json</c>, the bytes as they were signed), in RAM because secrets are in them: for root, and for the agent by
/// the folder's group, which the kernel gives to every file in it (setgid).
/// The number of the last one is on disk, so that an old bundle stays old after a start.
/// </summary>
internal sealed class BundleFolder(string folder = BundleFolder.Default, string numbers = BundleFolder.Numbers)
{
    public const string Default = "/run/bastion-sites";
    public const string Numbers = "/var/lib/bastion-bundles";
    private const string Ending = ".json";
    private const UnixFileMode RootOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    public string Folder => folder;

    /// <summary>Of sites that this bastion has. One that cannot be read is left out: it was whole when it was put there.</summary>
    public ImmutableArray<Bundle> InForce(IEnumerable<string> labels) => [.. labels.Select(Of).OfType<Bundle>()];

    public Bundle? Of(string label)
    {
        try
        {
            return AtomicFile.Text(FileOf(label)) is { } text && BundleReader.Read(Encoding.UTF8.GetBytes(text)) is { } bundle && bundle.Site == label ? bundle : null;
        }
        catch (BundleRefused)
        {
            return null;   // of a newer version of ours, before a downgrade
        }
    }

    /// <summary>Null: there has never been one.</summary>
    public long? NumberOf(string label)
    {
        long? kept = long.TryParse(AtomicFile.Text(NumberFile(label)), NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : null;
        return Of(label)?.Number is { } running && !(kept >= running) ? running : kept;
    }

    public string? Text(string label) => AtomicFile.Text(FileOf(label));

    /// <param name="text">Null: there was none.</param>
    public void Put(string label, string? text) => AtomicFile.Put(FileOf(label), text, RootOnly | UnixFileMode.GroupRead);

    public void PutNumber(string label, long number) => AtomicFile.Put(NumberFile(label), number.ToString(CultureInfo.InvariantCulture), RootOnly);

    private string FileOf(string label) => Path.Combine(folder, label + Ending);

    private string NumberFile(string label) => Path.Combine(numbers, label);
}
