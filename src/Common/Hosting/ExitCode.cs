namespace Common.Hosting;

/// <summary>What our programs answer to the shell and to systemd.</summary>
public static class ExitCode
{
    public const int Good = 0;

    /// <summary>A check failed, or a request was refused by the daemon.</summary>
    public const int Failed = 1;

    /// <summary>Bad usage or bad input; systemd does not restart on this one (RestartPreventExitStatus).</summary>
    public const int BadInput = 2;

    /// <summary>An internal fault (sysexits EX_SOFTWARE): systemd restarts.</summary>
    public const int Fault = 70;

    /// <summary>Cannot run on this machine: something is missing.</summary>
    public const int CannotRun = 77;
}
