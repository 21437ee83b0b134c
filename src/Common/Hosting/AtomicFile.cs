using System.Text;

namespace Common.Hosting;

/// <summary>A file is replaced by renaming, with its mode before its name: nobody reads half a file, or one that is too open.</summary>
internal static class AtomicFile
{
    public static void Put(string path, string text, UnixFileMode mode)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        var part = path + ".bastion-new";
        File.Delete(part);
        using (var stream = new FileStream(part, new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite }))
        {
            stream.Write(Encoding.UTF8.GetBytes(text));
            stream.Flush(flushToDisk: true);
        }

        File.SetUnixFileMode(part, mode);
        File.Move(part, path, overwrite: true);
    }
}
