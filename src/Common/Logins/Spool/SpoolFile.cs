using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Common.Logins.Spool;

/// <summary>Opens a file that somebody else may have put there: no link is followed, no pipe is waited for, and what it is is asked of the open file.</summary>
internal static partial class SpoolFile
{
    private const int NonBlocking = 0x800;
    private const int CloseOnExec = 0x80000;
    private const int NoEntry = 2;
    private const int AtEmptyPath = 0x1000;
    private const uint BasicStats = 0x7ff;
    private const int RecordLength = 256;
    private const int LinksAt = 16;
    private const int OwnerAt = 20;
    private const int ModeAt = 28;
    private const int TypeMask = 0xF000;
    private const int RegularFile = 0x8000;
    private const int OthersMayWrite = 0x12;

    /// <summary>O_NOFOLLOW is not the same number on every processor.</summary>
    private static readonly int NoFollow = RuntimeInformation.ProcessArchitecture is Architecture.Arm or Architecture.Arm64 ? 0x8000 : 0x20000;

    /// <param name="mayOwn">Whose files are believed.</param>
    /// <returns>The bytes, at most <paramref name="most"/>; or why they are not believed. Both null: it is not there any more.</returns>
    /// <exception cref="IOException">It cannot be read now.</exception>
    public static (byte[]? Bytes, string? Problem) Read(string path, Func<uint, bool> mayOwn, int most)
    {
        var descriptor = Open(path, NonBlocking | CloseOnExec | NoFollow);
        if (descriptor < 0)
        {
            return Marshal.GetLastPInvokeError() == NoEntry ? (null, null) : (null, "not a file that can be opened");
        }

        using var file = new SafeFileHandle(descriptor, ownsHandle: true);
        if (Fault(file, mayOwn) is { } fault)
        {
            return (null, fault);
        }

        var bytes = new byte[Math.Min(most, RandomAccess.GetLength(file))];
        var length = 0;
        while (length < bytes.Length && RandomAccess.Read(file, bytes.AsSpan(length), length) is var read and > 0)
        {
            length += read;
        }

        return (bytes[..length], null);
    }

    private static string? Fault(SafeFileHandle file, Func<uint, bool> mayOwn)
    {
        Span<byte> record = stackalloc byte[RecordLength];
        if (Statx(file, "", AtEmptyPath, BasicStats, record) != 0)
        {
            return "cannot be looked at";
        }

        var mode = BitConverter.ToUInt16(record[ModeAt..]);
        return (mode & TypeMask) != RegularFile || BitConverter.ToUInt32(record[LinksAt..]) > 1 ? "not a plain file"
            : !mayOwn(BitConverter.ToUInt32(record[OwnerAt..])) ? "of a wrong owner"
            : (mode & OthersMayWrite) != 0 ? "open to be written by others"
            : null;
    }

    [LibraryImport("libc", EntryPoint = "open", StringMarshalling = StringMarshalling.Utf8, SetLastError = true)]
    private static partial int Open(string path, int flags);

    [LibraryImport("libc", EntryPoint = "statx", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Statx(SafeFileHandle file, string path, int flags, uint mask, Span<byte> record);
}
