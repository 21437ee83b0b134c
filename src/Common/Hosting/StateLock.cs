using System.Globalization;

namespace Common.Hosting;

/// <summary>
/// Held while a daemon owns a state directory: two controllers on one journal would start two VMs. The lock is the kernel's (flock),
/// so it ends with the process however that ends.
/// </summary>
public sealed class StateLock : IDisposable
{
    private const string LockName = "lock";

    /// <summary>Beside the lock, because a locked file cannot be read by others.</summary>
    private const string PidName = "pid";

    private readonly FileStream _file;

    private StateLock(FileStream file) => _file = file;

    /// <summary>Makes the directory (0700) where it is absent, and takes it.</summary>
    /// <exception cref="StartRefusedException">Another daemon has it, or it cannot be used.</exception>
    public static StateLock Take(string directory)
    {
        try
        {
            Directory.CreateDirectory(directory, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
            var held = new StateLock(Open(directory));
            File.WriteAllText(Path.Combine(directory, PidName), Environment.ProcessId.ToString(CultureInfo.InvariantCulture));
            return held;
        }
        catch (UnauthorizedAccessException e)
        {
            throw new StartRefusedException($"{directory} may not be used by this user: run as the service's user, or set state_directory", inner: e);
        }
        catch (IOException e)
        {
            throw new StartRefusedException($"{directory} cannot be used: {e.Message}", inner: e);
        }
    }

    public void Dispose() => _file.Dispose();

    private static FileStream Open(string directory)
    {
        var options = new FileStreamOptions
        {
            Mode = FileMode.OpenOrCreate,
            Access = FileAccess.ReadWrite,
            Share = FileShare.None,
            UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite,
        };
        try
        {
            return new FileStream(Path.Combine(directory, LockName), options);
        }
        catch (IOException e) when (IsLocked(e))
        {
            throw new StartRefusedException($"{directory} is in use by another daemon{Holder(directory)}: ask it (status), or stop it first", inner: e);
        }
    }

    /// <summary>EWOULDBLOCK of flock(2), as .NET reports it.</summary>
    private static bool IsLocked(IOException e) => e.HResult == 11;

    private static string Holder(string directory)
    {
        try
        {
            return $" (pid {File.ReadAllText(Path.Combine(directory, PidName)).Trim()})";
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return "";
        }
    }
}
