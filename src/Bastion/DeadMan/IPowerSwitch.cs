using Common.Processes;

namespace Bastion.DeadMan;

/// <summary>Port: switches this machine off.</summary>
internal interface IPowerSwitch
{
    /// <summary>Asks for it; returning says nothing about whether it happens.</summary>
    /// <exception cref="IOException">It could not be asked for; the text says why.</exception>
    Task OffAsync(CancellationToken ct);
}

/// <summary>
/// Makes a file that a root-owned path unit waits for (<c>bastion-poweroff.path</c>). The agent has no privilege and needs none: no
/// polkit rule, no set-user-id program, no D-Bus; what this file can do is that one thing.
/// </summary>
internal sealed class PowerRequestFile(string path) : IPowerSwitch
{
    public const string DefaultPath = "/run/bastion/poweroff";

    public Task OffAsync(CancellationToken ct)
    {
        try
        {
            File.WriteAllText(path, "");
            return Task.CompletedTask;
        }
        catch (UnauthorizedAccessException e)
        {
            throw new IOException(e.Message, e);
        }
    }
}

/// <summary>Runs a command of the owner's.</summary>
internal sealed class PowerCommand(IProcessLauncher launcher, string program) : IPowerSwitch
{
    public async Task OffAsync(CancellationToken ct)
    {
        try
        {
            var result = await launcher.RunAsync(new ProcessSpec(program, []), ct);
            if (!result.Ok)
            {
                throw new IOException($"{program} ended with {result.Exit.Code?.ToString(System.Globalization.CultureInfo.InvariantCulture) ?? "a signal"}");
            }
        }
        catch (ProcessStartException e)
        {
            throw new IOException(e.Message, e);
        }
    }
}
