using System.ComponentModel;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Lab.Net;

/// <summary>
/// A named network namespace (ip-netns(8)). A socket belongs for ever to the namespace of the thread that made it: so one process
/// can stand in several.
/// </summary>
public static partial class NetworkNamespace
{
    private const int CloneNewNet = 0x40000000;

    /// <summary>Runs <paramref name="make"/> on a thread of its own inside the namespace; that thread then ends.</summary>
    public static Task<T> RunAsync<T>(string name, Func<T> make)
    {
        var done = new TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously);
        new Thread(() =>
        {
            try
            {
                using SafeFileHandle file = File.OpenHandle($"/run/netns/{name}");
                if (SetNamespace(file, CloneNewNet) != 0)
                {
                    throw new Win32Exception(Marshal.GetLastPInvokeError());
                }

                done.SetResult(make());
            }
            catch (Exception e)
            {
                done.SetException(e);
            }
        })
        { IsBackground = true, Name = "in " + name }.Start();
        return done.Task;
    }

    [LibraryImport("libc", EntryPoint = "setns", SetLastError = true)]
    private static partial int SetNamespace(SafeFileHandle file, int kind);
}
