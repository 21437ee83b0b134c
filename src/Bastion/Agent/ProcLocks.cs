using System.Globalization;
using Common;

namespace Bastion.Agent;

/// <summary>
/// Reads <c>/proc/locks</c>: <c>1: POSIX  ADVISORY  WRITE 1234 fe:01:131090 0 EOF</c> (device in hexadecimal, inode in decimal).
/// A test by fcntl would need the lock file open, which only root may; this needs nothing.
/// </summary>
[PureCore]
internal static class ProcLocks
{
    /// <summary>Does anybody hold a write lock on this file?</summary>
    public static bool IsWriteLocked(string locks, uint deviceMajor, uint deviceMinor, ulong inode) =>
        locks.Split('\n').Any(line => Holds(line, $"{deviceMajor:x2}:{deviceMinor:x2}:{inode.ToString(CultureInfo.InvariantCulture)}"));

    private static bool Holds(string line, string file)
    {
        var fields = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        // "1: -> POSIX ..." is somebody who waits for the lock; the holder has a line of its own.
        return fields.Length >= 6 && fields[1] != "->" && fields[3] == "WRITE" && fields[5] == file;
    }
}
