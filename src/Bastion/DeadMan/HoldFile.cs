using System.Globalization;
using Common.Time;

namespace Bastion.DeadMan;

/// <summary>Until when the VM is held up, in a file of the agent's own in RAM: survives the agent, ends with the boot.</summary>
internal sealed class HoldFile(string path)
{
    public static readonly TimeSpan Longest = TimeSpan.FromDays(2);

    /// <summary>Long ago where nobody holds it, or where the file cannot be read.</summary>
    public Instant Until
    {
        get
        {
            try
            {
                return File.Exists(path) && long.TryParse(File.ReadAllText(path), NumberStyles.None, CultureInfo.InvariantCulture, out var ticks)
                    ? new Instant(ticks)
                    : new Instant(0);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                return new Instant(0);
            }
        }
    }

    /// <exception cref="IOException">It could not be written.</exception>
    /// <exception cref="UnauthorizedAccessException">The same.</exception>
    public void Set(Instant until)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        var part = path + ".part";
        File.WriteAllText(part, until.Ticks.ToString(CultureInfo.InvariantCulture));
        File.Move(part, path, overwrite: true);
    }
}
