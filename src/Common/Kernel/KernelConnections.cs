namespace Common.Kernel;

/// <summary>The TCP connections of this network namespace. Needs no privilege.</summary>
public sealed class KernelConnections(string folder = "/proc/net")
{
    /// <summary>Null: the kernel cannot be asked, so nothing is known.</summary>
    public IReadOnlyList<TcpConnection>? Read()
    {
        try
        {
            var four = ProcNetTcp.Parse(File.ReadAllText(Path.Combine(folder, "tcp")));
            var six = Path.Combine(folder, "tcp6");
            return [.. four, .. File.Exists(six) ? ProcNetTcp.Parse(File.ReadAllText(six)) : []];   // IPv6 may be switched off
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
