using System.Text.Json;
using Common.Hosting;

namespace InternalHost.Cloud.Making;

/// <summary>The notes of a making, in one file that is replaced as a whole: whatever moment we die at, the next run reads the last word.</summary>
/// <remarks>A file of its own, not the daemon's: a machine is made before the daemon ever ran, and by another user.</remarks>
internal sealed class MakingJournal
{
    public const string FileName = "making.json";

    private const UnixFileMode OursAlone = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    private readonly string _path;
    private readonly Action<string, string?> _put;

    /// <param name="put">How a file is replaced; null text: it goes.</param>
    private MakingJournal(string path, MakingNotes notes, Action<string, string?> put) => (_path, Notes, _put) = (path, notes, put);

    public MakingNotes Notes { get; private set; }

    /// <summary>Something was written down, by this run or another.</summary>
    public bool Exists => File.Exists(_path);

    /// <summary>What an earlier run has written down, else <paramref name="fresh"/>.</summary>
    /// <exception cref="MakingException">It cannot be read, or is of another machine.</exception>
    public static MakingJournal Open(string folder, MakingNotes fresh, Action<string, string?>? put = null)
    {
        var path = Path.Combine(folder, FileName);
        try
        {
            Directory.CreateDirectory(folder, OursAlone | UnixFileMode.UserExecute);
            var notes = AtomicFile.Text(path) is { } text ? JsonSerializer.Deserialize(text, MakingJson.Default.MakingNotes) ?? fresh : fresh;
            return notes.Format > MakingNotes.CurrentFormat ? throw new MakingException($"{path} is of a later version of internalhost: use that one")
                : Place(notes) != Place(fresh) ? throw new MakingException(
                    $"{path} tells of a machine of {Place(notes)}, and the configuration of {Place(fresh)}: remove the old one first (internalhost cloud remove, with the old configuration)")
                : new MakingJournal(path, notes, put ?? Put);
        }
        catch (JsonException e)
        {
            throw new MakingException($"{path} is broken ({e.Message}): look with 'internalhost cloud plan' at what there is, and move the file away", e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new MakingException($"{path} cannot be used: {e.Message} (run this as root, or as the user of the service)", e);
        }
    }

    /// <summary>On disk when it returns.</summary>
    public void Write(MakingNotes notes)
    {
        if (notes == Notes)
        {
            return;
        }

        _put(_path, JsonSerializer.Serialize(notes, MakingJson.Default.MakingNotes));
        Notes = notes;
    }

    /// <summary>Nothing of it is left.</summary>
    public void Erase() => _put(_path, null);

    private static string Place(MakingNotes n) => $"{n.Provider} {n.Region}, site {n.Site}";

    internal static void Put(string path, string? text) => AtomicFile.Put(path, text, OursAlone);
}
