using System.Collections.Immutable;
using System.Runtime.InteropServices;
using Common.Processes;
using InternalHost.Cloud.Local;
using InternalHost.Wan.Clock;

namespace InternalHost.Doctor;

/// <summary>The system's ssh: there, and able to share a connection and to be handed a socket.</summary>
internal sealed class SshClientCheck(IProcessLauncher launcher) : IDoctorCheck
{
    private const string Install = "apt install openssh-client";

    public string Name => "ssh client";

    public async Task<ImmutableArray<Finding>> RunAsync(CancellationToken ct)
    {
        try
        {
            var version = await launcher.RunAsync(new ProcessSpec("ssh", ["-V"]), ct);
            var text = (version.Error + version.Output).Trim();
            var options = await launcher.RunAsync(
                new ProcessSpec("ssh", ["-F", "none", "-G", "-o", "ControlMaster=yes", "-o", "ControlPath=/x", "-o", "ProxyCommand=x", "-o", "ProxyUseFdpass=yes", "host"]), ct);
            return [Judge(text, options)];
        }
        catch (ProcessStartException e)
        {
            return [Finding.Fail(Name, e.Message, Install)];
        }
    }

    private Finding Judge(string version, ProcessResult options) =>
        OpenSshVersion.Parse(version) is null ? Finding.Fail(Name, $"ssh is not OpenSSH: {version}", Install)
        : options.Ok && options.Output.Contains("proxyusefdpass yes", StringComparison.Ordinal)
            ? Finding.Ok(Name, $"{version.Split(',')[0]}; shares connections, takes a socket that is handed to it")
            : Finding.Fail(Name, $"{version.Split(',')[0]} does not know ProxyUseFdpass or ControlMaster", "install a newer openssh-client");
}

/// <summary>Programs and libraries that are used at run time.</summary>
internal sealed class PartsCheck(Func<string, bool> isThere) : IDoctorCheck
{
    public string Name => "parts";

    public Task<ImmutableArray<Finding>> RunAsync(CancellationToken ct) => Task.FromResult<ImmutableArray<Finding>>(
    [
        isThere("setpriv") ? Finding.Ok("setpriv", "there: children never outlive the daemon")
            : Finding.Fail("setpriv", "is not there: no child is started without it", "apt install util-linux"),
        NativeLibrary.TryLoad("libsqlite3.so.0", out _) ? Finding.Ok("sqlite", "libsqlite3 is there")
            : Finding.Fail("sqlite", "libsqlite3.so.0 is not there: nothing can be remembered", "apt install libsqlite3-0"),
    ]);
}

internal sealed class ClockCheck(IKernelClock clock) : IDoctorCheck
{
    public string Name => "clock";

    public Task<ImmutableArray<Finding>> RunAsync(CancellationToken ct) => Task.FromResult<ImmutableArray<Finding>>(
    [
        clock.IsSynchronised ? Finding.Ok(Name, "kept in step by a time server")
            : Finding.Warn(Name, "not kept in step; in an outage the time is asked by the backup instead", "systemctl enable --now systemd-timesyncd"),
    ]);
}
