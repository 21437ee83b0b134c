namespace InternalHost.Cloud.Local;

/// <summary>
/// Appends lines in the form that rsyslog writes by default: RFC 3339 time, host, <c>sshd[PID]:</c>, text. sshd's own lines on stderr
/// carry neither time nor pid (research/pitfalls.md T14). The pid is the listener's: of its sessions none is known.
/// </summary>
internal sealed class SyslogFile(string path, string label, TimeProvider time, Action<string>? onLine) : IDisposable
{
    private readonly Lock _gate = new();

    /// <summary>Written under <see cref="_gate"/>, so that lines of several threads stay whole and in order.</summary>
    private readonly StreamWriter _file = new(new FileStream(path, new FileStreamOptions
    {
        Mode = FileMode.Append,
        Access = FileAccess.Write,
        Share = FileShare.ReadWrite | FileShare.Delete,
        UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite,
    }))
    { AutoFlush = true };

    private bool _closed;

    public void Append(string program, int pid, string text)
    {
        var line = $"{time.GetUtcNow():yyyy-MM-ddTHH:mm:ss.ffffffzzz} {label} {program}[{pid}]: {text.TrimEnd()}";
        lock (_gate)
        {
            if (_closed)
            {
                return;
            }

            _file.WriteLine(line);
        }

        onLine?.Invoke(line);
    }

    public void Dispose()
    {
        lock (_gate)
        {
            _closed = true;
            _file.Dispose();
        }
    }
}
