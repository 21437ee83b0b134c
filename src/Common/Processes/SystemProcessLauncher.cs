#pragma warning disable RS0030 // System.Diagnostics.Process: this is the one place that may start a child
using System.Collections.Concurrent;
using System.ComponentModel;
using System.Diagnostics;
using System.Runtime.ExceptionServices;
using System.Runtime.InteropServices;

namespace Common.Processes;

/// <summary>
/// Starts children as <c>setpriv --pdeathsig TERM -- program args</c>: the kernel ends them when we die, whatever we die of.
/// </summary>
public sealed class SystemProcessLauncher(TimeProvider time) : IProcessLauncher
{
    /// <summary>Where programs are looked for; a service's own PATH need not have sbin.</summary>
    private const string SearchPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

    private const int ExecuteAccess = 1;

    public IChildProcess Start(ProcessSpec spec, Action<ProcessStream, string> onLine)
    {
        var setpriv = Find("setpriv")
            ?? throw new ProcessStartException("setpriv is not installed (Debian package util-linux): without it a child could outlive this program");
        var program = Find(spec.Program)
            ?? throw new ProcessStartException($"{spec.Program} is not there, or may not be run");
        var process = new Process { StartInfo = Describe(spec, setpriv, program) };
        try
        {
            LaunchThread.Run(() => process.Start());
        }
        catch (Exception e) when (e is Win32Exception or IOException or InvalidOperationException)
        {
            process.Dispose();
            throw new ProcessStartException($"{spec.Program} could not be started: {e.Message}", e);
        }

        return new SystemChildProcess(process, spec.Input, onLine, time);
    }

    private static ProcessStartInfo Describe(ProcessSpec spec, string setpriv, string program)
    {
        var info = new ProcessStartInfo(setpriv)
        {
            UseShellExecute = false,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = spec.WorkingDirectory ?? "/",
        };
        foreach (var argument in (IEnumerable<string>)["--pdeathsig", "TERM", "--", program, .. spec.Arguments])
        {
            info.ArgumentList.Add(argument);
        }

        // NOTIFY_SOCKET, SSH_AUTH_SOCK, LD_*, DOTNET_* and whatever else we were given stay with us.
        info.Environment.Clear();
        info.Environment["PATH"] = Environment.GetEnvironmentVariable("PATH") ?? SearchPath;
        info.Environment["HOME"] = Environment.GetEnvironmentVariable("HOME") ?? "/";
        info.Environment["LANG"] = "C.UTF-8";
        foreach (var (name, value) in spec.Environment)
        {
            info.Environment[name] = value;
        }

        return info;
    }

    private static string? Find(string program)
    {
        if (program.Contains('/'))
        {
            return MayRun(program) ? Path.GetFullPath(program) : null;
        }

        return $"{Environment.GetEnvironmentVariable("PATH")}:{SearchPath}".Split(':', StringSplitOptions.RemoveEmptyEntries)
            .Select(folder => Path.Combine(folder, program)).FirstOrDefault(MayRun);
    }

    private static bool MayRun(string path) => File.Exists(path) && LibC.Access(path, ExecuteAccess) == 0;

    /// <summary>
    /// The death signal follows the thread that forked, not the process: a child started from a pool thread is killed when that
    /// idle thread retires. So one thread starts all of them, and lives until the process ends.
    /// </summary>
    private static class LaunchThread
    {
        private static readonly BlockingCollection<Action> Work = Begin();

        public static void Run(Action start)
        {
            using var done = new ManualResetEventSlim();
            ExceptionDispatchInfo? fault = null;
            Work.Add(() =>
            {
                try
                {
                    start();
                }
                catch (Exception e)
                {
                    fault = ExceptionDispatchInfo.Capture(e);
                }

                done.Set();
            });
            done.Wait();
            fault?.Throw();
        }

        private static BlockingCollection<Action> Begin()
        {
            var work = new BlockingCollection<Action>();
            new Thread(() =>
            {
                foreach (var start in work.GetConsumingEnumerable())
                {
                    start();
                }
            })
            { IsBackground = true, Name = "launch" }.Start();
            return work;
        }
    }

    private sealed class SystemChildProcess : IChildProcess
    {
        private static readonly TimeSpan DefaultGrace = TimeSpan.FromSeconds(2);

        /// <summary>A grandchild may keep our pipes open after the child has ended; this long is waited for its last words.</summary>
        private static readonly TimeSpan DrainPatience = TimeSpan.FromSeconds(1);

        private readonly Process _process;
        private readonly TimeProvider _time;
        private volatile bool _stopAsked;

        public SystemChildProcess(Process process, ReadOnlyMemory<byte> input, Action<ProcessStream, string> onLine, TimeProvider time)
        {
            _process = process;
            _time = time;
            Pid = process.Id;
            _ = FeedAsync(process.StandardInput, input);
            var drained = Task.WhenAll(
                LinePump.RunAsync(process.StandardOutput.BaseStream, line => onLine(ProcessStream.Output, line)),
                LinePump.RunAsync(process.StandardError.BaseStream, line => onLine(ProcessStream.Error, line)));
            Exited = AwaitEndAsync(drained);
        }

        public int Pid { get; }

        public Task<ProcessExit> Exited { get; }

        public async Task<ProcessExit> StopAsync(TimeSpan? grace = null)
        {
            if (!Exited.IsCompleted)
            {
                _stopAsked = true;
                Signal(LibC.SigTerm);
                try
                {
                    return await Exited.WaitAsync(grace ?? DefaultGrace, _time);
                }
                catch (TimeoutException)
                {
                    Signal(LibC.SigKill);
                }
            }

            return await Exited;
        }

        public async ValueTask DisposeAsync()
        {
            await StopAsync();
            _process.Dispose();
        }

        private async Task<ProcessExit> AwaitEndAsync(Task drained)
        {
            await _process.WaitForExitAsync();
            var stopped = _stopAsked;
            await Task.WhenAny(drained, Task.Delay(DrainPatience, _time));
            // The runtime reports death by signal N as 128 + N, as a shell does.
            return _process.ExitCode is > 128 and <= 192 and var code
                ? new ProcessExit(null, code - 128, stopped)
                : new ProcessExit(_process.ExitCode, null, stopped);
        }

        /// <summary>A child that ends, or closes its input, before it has read all of it is no failure of ours.</summary>
        private static async Task FeedAsync(StreamWriter pipe, ReadOnlyMemory<byte> input)
        {
            try
            {
                await pipe.BaseStream.WriteAsync(input);
                pipe.Close();
            }
            catch (Exception e) when (e is IOException or ObjectDisposedException)
            {
                // Its exit status and its words tell why.
            }
        }

        private void Signal(int signal)
        {
            if (!_process.HasExited)
            {
                _ = LibC.Kill(Pid, signal);
            }
        }
    }
}

internal static partial class LibC
{
    public const int SigTerm = 15;
    public const int SigKill = 9;

    [LibraryImport("libc", EntryPoint = "kill", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    public static partial int Kill(int pid, int signal);

    [LibraryImport("libc", EntryPoint = "access", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    public static partial int Access(string path, int mode);
}
