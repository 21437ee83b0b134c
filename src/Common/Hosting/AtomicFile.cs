using System.Text;

namespace Common.Hosting;

/// <summary>A file is replaced by renaming, with its mode before its name: nobody reads half a file, or one that is too open.</summary>
internal static class AtomicFile
{
    /// <param name="text">Null: it goes.</param>
    public static void Put(string path, string? text, UnixFileMode mode)
    {
        if (text is null)
        {
            File.Delete(path);
            return;
        }

        Put(path, Encoding.UTF8.GetBytes(text), mode);
    }

    public static void Put(string path, ReadOnlySpan<byte> content, UnixFileMode mode)
    {
        var part = path + ".bastion-new";
        File.Delete(part);
        using (var stream = new FileStream(part, new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite }))
        {
            stream.Write(content);
            stream.Flush(flushToDisk: true);
        }

        File.SetUnixFileMode(part, mode);
        File.Move(part, path, overwrite: true);
    }

    /// <summary>Null: there is none.</summary>
    public static string? Text(string path) => File.Exists(path) ? File.ReadAllText(path) : null;
}
