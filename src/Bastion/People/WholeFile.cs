using System.Text;

namespace Bastion.People;

/// <summary>A small file that others read while we write it: whole, or as it was.</summary>
internal static class WholeFile
{
    /// <param name="text">Null: it goes.</param>
    public static void Put(string path, string? text, UnixFileMode mode)
    {
        if (text is null)
        {
            File.Delete(path);
            return;
        }

        // No name that sshd or the agent would read.
        var part = Path.Combine(Path.GetDirectoryName(path)!, $".{Path.GetFileName(path)}.new");
        File.Delete(part);
        using (var stream = new FileStream(part, new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite }))
        {
            stream.Write(Encoding.UTF8.GetBytes(text));
            stream.Flush(flushToDisk: true);
        }

        File.SetUnixFileMode(part, mode);
        File.Move(part, path, overwrite: true);
    }

    /// <summary>Null: there is none.</summary>
    public static string? Text(string path) => File.Exists(path) ? File.ReadAllText(path) : null;
}
