using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Common.Logins;

/// <summary>What a file is, whatever it is called: device and inode. By statx(2), whose record is the same on every processor.</summary>
internal readonly partial record struct FileIdentity(uint DeviceMajor, uint DeviceMinor, ulong Inode)
{
    private const int AtFdCwd = -100;
    private const int AtEmptyPath = 0x1000;
    private const uint BasicStats = 0x7ff;
    private const int RecordLength = 256;
    private const int InodeAt = 32;
    private const int DeviceMajorAt = 136;
    private const int DeviceMinorAt = 140;

    /// <summary>Null: there is no such file, or its folder may not be searched.</summary>
    public static FileIdentity? Of(string path)
    {
        Span<byte> record = stackalloc byte[RecordLength];
        return Statx(AtFdCwd, path, 0, BasicStats, record) == 0 ? Read(record) : null;
    }

    public static FileIdentity? Of(SafeFileHandle file)
    {
        Span<byte> record = stackalloc byte[RecordLength];
        return Statx(file, "", AtEmptyPath, BasicStats, record) == 0 ? Read(record) : null;
    }

    private static FileIdentity Read(ReadOnlySpan<byte> record) => new(
        BitConverter.ToUInt32(record[DeviceMajorAt..]), BitConverter.ToUInt32(record[DeviceMinorAt..]), BitConverter.ToUInt64(record[InodeAt..]));

    [LibraryImport("libc", EntryPoint = "statx", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Statx(int folder, string path, int flags, uint mask, Span<byte> record);

    [LibraryImport("libc", EntryPoint = "statx", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Statx(SafeFileHandle file, string path, int flags, uint mask, Span<byte> record);
}
