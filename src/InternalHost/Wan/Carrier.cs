namespace InternalHost.Wan;

/// <summary>Whether an interface has a living wire.</summary>
internal interface ICarrier
{
    /// <summary>Null: cannot be told.</summary>
    bool? IsUp(string interfaceName);
}

/// <summary>
/// From /sys/class/net. The operational state (RFC 2863) decides; drivers that do not keep it say "unknown", and then the carrier
/// flag does. An interface that is gone (a PPPoE session ended) has none.
/// </summary>
internal sealed class SysfsCarrier(string root = "/sys/class/net") : ICarrier
{
    public bool? IsUp(string interfaceName)
    {
        var folder = Path.Combine(root, interfaceName);
        if (!Directory.Exists(root))
        {
            return null;
        }

        return Read(Path.Combine(folder, "operstate")) switch
        {
            "up" => true,
            null or "down" or "lowerlayerdown" or "notpresent" or "dormant" => false,
            // An interface that is administratively down answers a read of its carrier with an error.
            _ => Read(Path.Combine(folder, "carrier")) == "1",
        };
    }

    private static string? Read(string file)
    {
        try
        {
            return File.ReadAllText(file).Trim();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
