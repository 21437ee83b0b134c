namespace Common.Alerts;

/// <summary>Whether an alert has been told. Sent by name: names are fixed.</summary>
public enum AlertStanding
{
    Unknown = 0,

    /// <summary>On its way, or with a gateway that does not say what became of it.</summary>
    Pending = 1,

    /// <summary>By one channel at least.</summary>
    Confirmed = 2,

    /// <summary>It reaches nobody.</summary>
    Dead = 3,
}
