using System.Globalization;
using System.Net;
using Common.Kernel;

namespace Bastion.Host;

/// <param name="Program">Who listens, as /proc calls it; null: not known.</param>
internal sealed record ListeningSocket(IPEndPoint At, string? Program)
{
    public bool IsLoopback => IPAddress.IsLoopback(At.Address);
}

/// <summary>The TCP sockets that really listen, whatever configurations say.</summary>
internal sealed class ListeningSockets(KernelConnections kernel)
{
    /// <summary>Null: the kernel cannot be asked.</summary>
    public IReadOnlyList<ListeningSocket>? Read()
    {
        if (kernel.Read() is not { } connections)
        {
            return null;
        }

        var programs = Programs();
        return [.. connections.Where(c => c.Listening).Select(c => new ListeningSocket(c.Local, programs.GetValueOrDefault(c.Inode)))];
    }

    private static Dictionary<ulong, string> Programs()
    {
        var programs = new Dictionary<ulong, string>();
        foreach (var process in Directory.EnumerateDirectories("/proc").Where(p => char.IsAsciiDigit(Path.GetFileName(p)[0])))
        {
            try
            {
                var name = File.ReadAllText(Path.Combine(process, "comm")).Trim();
                foreach (var inode in Directory.EnumerateFiles(Path.Combine(process, "fd")).Select(f => Inode(new FileInfo(f).LinkTarget)).OfType<ulong>())
                {
                    programs.TryAdd(inode, name);
                }
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                // It ended while we looked, or is not ours to see: its sockets have no name.
            }
        }

        return programs;
    }

    /// <summary><c>socket:[31337]</c>.</summary>
    private static ulong? Inode(string? link) =>
        link is not null && link.StartsWith("socket:[", StringComparison.Ordinal) && ulong.TryParse(link.AsSpan(8).TrimEnd(']'), NumberStyles.None, CultureInfo.InvariantCulture, out var inode)
            ? inode
            : null;
}
