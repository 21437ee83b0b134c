using Common.Processes;

namespace InternalHost.Cloud.Local;

/// <summary>Watches the first lines of an sshd until it listens on all its addresses, or says that it will not; passes every line on.</summary>
internal sealed class SshdStart(int addresses, SyslogFile log)
{
    private const int MostLinesKept = 40;
    private readonly Lock _gate = new();
    private readonly TaskCompletionSource _decided = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Lines that came before the pid was known wait here, under <see cref="_gate"/>; later the last ones for the error.</summary>
    private readonly List<string> _lines = [];
    private int _listening;
    private int _pid;

    /// <summary>It listens, or one of its addresses cannot be had (sshd itself would go on with the others).</summary>
    public Task Decided => _decided.Task;

    public bool Listens
    {
        get
        {
            lock (_gate)
            {
                return _listening >= addresses;
            }
        }
    }

    public string Said
    {
        get
        {
            lock (_gate)
            {
                return _lines.Count == 0 ? "nothing" : string.Join(" | ", _lines);
            }
        }
    }

    public void PidKnown(int pid)
    {
        lock (_gate)
        {
            _pid = pid;
            foreach (var line in _lines)
            {
                log.Append("sshd", pid, line);
            }
        }
    }

    public void OnLine(ProcessStream stream, string raw)
    {
        // sshd ends lines on stderr with CR LF.
        var line = raw.TrimEnd('\r');
        lock (_gate)
        {
            Keep(line);
            if (_pid != 0)
            {
                log.Append("sshd", _pid, line);
            }
        }
    }

    private void Keep(string line)
    {
        if (_decided.Task.IsCompleted || _lines.Count >= MostLinesKept)
        {
            return;
        }

        _lines.Add(line);
        _listening += line.StartsWith("Server listening on ", StringComparison.Ordinal) ? 1 : 0;
        if (_listening >= addresses || (line.Contains("Bind to port ", StringComparison.Ordinal) && line.Contains(" failed", StringComparison.Ordinal)))
        {
            _decided.TrySetResult();
        }
    }
}
