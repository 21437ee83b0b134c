namespace Lab.Demo;

/// <summary>A private folder for one run, with a short path: ssh adds 17 characters to a control path, and a Unix socket has room for 108.</summary>
internal sealed class RunFolder : IDisposable
{
    private const int LongestPath = 40;
    private readonly bool _keep;

    private RunFolder(string path, bool keep) => (Path, _keep) = (path, keep);

    public string Path { get; }

    public static RunFolder Make(bool keep)
    {
        var place = Environment.GetEnvironmentVariable("XDG_RUNTIME_DIR");
        if (string.IsNullOrEmpty(place) || place.Length > LongestPath || !Directory.Exists(place) || !Writable(place))
        {
            place = "/tmp";
        }

        for (var attempt = 0; ; attempt++)
        {
            var path = System.IO.Path.Combine(place, $"bd{Random.Shared.Next(0x1000000):x6}");
            if (!System.IO.Path.Exists(path) || attempt > 100)
            {
                Directory.CreateDirectory(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
                return new RunFolder(path, keep);
            }
        }
    }

    public string File(string name) => System.IO.Path.Combine(Path, name);

    public string Folder(string name) =>
        Directory.CreateDirectory(File(name), UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute).FullName;

    /// <summary>Written with mode 0600 from its first byte.</summary>
    public string Secret(string name, string text)
    {
        using var stream = new FileStream(File(name), new FileStreamOptions
        {
            Mode = FileMode.CreateNew,
            Access = FileAccess.Write,
            UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite,
        });
        stream.Write(System.Text.Encoding.UTF8.GetBytes(text));
        return File(name);
    }

    public void Dispose()
    {
        if (!_keep)
        {
            Directory.Delete(Path, recursive: true);
        }
    }

    private static bool Writable(string folder)
    {
        try
        {
            var probe = System.IO.Path.Combine(folder, System.IO.Path.GetRandomFileName());
            Directory.CreateDirectory(probe);
            Directory.Delete(probe);
            return true;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }
}
