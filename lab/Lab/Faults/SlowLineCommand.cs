using System.Globalization;
using System.Runtime.InteropServices;
using System.Threading.Channels;
using Common.Time;
using Microsoft.Win32.SafeHandles;

namespace Lab.Faults;

/// <summary>
/// <c>lab slow-line DEVICE MS JITTER</c>: makes a TUN device and gives every packet back after so many milliseconds, in the order in which
/// they came. For kernels without netem. Ends when the device is deleted.
/// </summary>
internal static partial class SlowLineCommand
{
    private const int LongestPacket = 65_536;

    public static async Task<int> RunAsync(string device, string ms, string jitter, TimeProvider time, CancellationToken ct)
    {
        if (!Milliseconds(ms, out var delay) || !Milliseconds(jitter, out var spread))
        {
            await Console.Error.WriteLineAsync("usage: lab slow-line DEVICE MS JITTER");
            return 2;
        }

        using var tun = Open(device);
        var waiting = Channel.CreateBounded<(Instant Due, byte[] Packet)>(new BoundedChannelOptions(4096) { FullMode = BoundedChannelFullMode.DropWrite });
        new Thread(() => Read(tun, waiting.Writer, delay, spread, time)) { IsBackground = true }.Start();
        await foreach (var (due, packet) in waiting.Reader.ReadAllAsync(ct))
        {
            var wait = due - Instant.Now(time);
            if (wait > TimeSpan.Zero)
            {
                await Task.Delay(wait, time, ct);
            }

            _ = Write(tun, packet, (nuint)packet.Length);
        }

        return 0;
    }

    private static void Read(SafeFileHandle tun, ChannelWriter<(Instant, byte[])> waiting, TimeSpan delay, TimeSpan spread, TimeProvider time)
    {
        var buffer = new byte[LongestPacket];
        var last = Instant.Now(time);
        while (Read(tun, buffer, LongestPacket) is > 0 and var length)
        {
            // Jitter shifts packets, it does not reorder them.
            var due = Instant.Now(time) + delay + (spread * (2 * Random.Shared.NextDouble() - 1));
            last = due > last ? due : last;
            waiting.TryWrite((last, buffer[..(int)length]));
        }

        waiting.Complete();
    }

    private static bool Milliseconds(string text, out TimeSpan span)
    {
        var good = int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var ms);
        span = TimeSpan.FromMilliseconds(ms);
        return good;
    }

    /// <exception cref="IOException">No such device, or not allowed.</exception>
    private static SafeFileHandle Open(string device)
    {
        const nuint tunSetInterface = 0x400454ca;   // linux/if_tun.h
        const short tun = 0x0001;
        const short noPacketInformation = 0x1000;
        const int nameSize = 16;
        var handle = File.OpenHandle("/dev/net/tun", FileMode.Open, FileAccess.ReadWrite);
        var request = new byte[40];
        System.Text.Encoding.ASCII.GetBytes(device.AsSpan(0, Math.Min(device.Length, nameSize - 1)), request);
        BitConverter.TryWriteBytes(request.AsSpan(nameSize), (short)(tun | noPacketInformation));
        if (Control(handle, tunSetInterface, request) != 0)
        {
            handle.Dispose();
            throw new IOException($"TUN device {device}: {Marshal.GetPInvokeErrorMessage(Marshal.GetLastPInvokeError())}");
        }

        return handle;
    }

    [LibraryImport("libc", EntryPoint = "ioctl", SetLastError = true)]
    private static partial int Control(SafeFileHandle file, nuint request, byte[] argument);

    [LibraryImport("libc", EntryPoint = "read", SetLastError = true)]
    private static partial nint Read(SafeFileHandle file, [Out] byte[] buffer, nuint count);

    [LibraryImport("libc", EntryPoint = "write", SetLastError = true)]
    private static partial nint Write(SafeFileHandle file, byte[] buffer, nuint count);
}
