namespace InternalHost.Wan.Detection;

/// <summary>The only thing the failover controller reads of an uplink.</summary>
public enum Usable
{
    Unknown = 0,
    Yes = 1,
    No = 2,
}

public enum UplinkName
{
    Unknown = 0,
    Primary = 1,
    Backup = 2,
}

/// <summary>The detector's finer verdict, for people, status and alerts (DESIGN 4).</summary>
public enum UplinkState
{
    Unknown = 0,
    Up = 1,
    Suspect = 2,
    Degraded = 3,
    Walled = 4,
    IspOnly = 5,
    Down = 6,
    LocalFault = 7,
}
