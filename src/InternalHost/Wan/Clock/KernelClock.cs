using System.Runtime.InteropServices;

namespace InternalHost.Wan.Clock;

/// <summary>Port to the one who knows whether the system clock is disciplined by a time server.</summary>
internal interface IKernelClock
{
    bool IsSynchronised { get; }
}

/// <summary>
/// adjtimex(2), read only: no privilege. The kernel itself gives the state up (STA_UNSYNC) when nobody has corrected it for hours.
/// </summary>
/// <remarks>A unit with <c>ProtectClock=yes</c> is refused the call; the clock then counts as not synchronised, and SNTP is asked.</remarks>
internal sealed partial class KernelClock : IKernelClock
{
    private const int TimeError = 5;
    private const int StaUnsync = 0x40;

    public bool IsSynchronised
    {
        get
        {
            var read = default(Timex);
            var state = AdjTimex(ref read);
            return state is >= 0 and not TimeError && (read.Status & StaUnsync) == 0;
        }
    }

    [LibraryImport("libc", EntryPoint = "adjtimex")]
    private static partial int AdjTimex(ref Timex timex);

    /// <summary>The head of struct timex (linux/timex.h); what follows is only room for the kernel to write to.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private struct Timex
    {
        public uint Modes;
        public nint Offset;
        public nint Frequency;
        public nint MaxError;
        public nint EstimatedError;
        public int Status;
        public Rest Rest;
    }

    [StructLayout(LayoutKind.Sequential, Size = 256)]
    private struct Rest;
}
