namespace InternalHost.Cloud.Making;

/// <summary>What is done, one after the other, until a site has its machine. The numbers are stored.</summary>
internal enum MakingStep
{
    Unknown = 0,

    /// <summary>The public maintenance key, told to the provider.</summary>
    Key = 1,

    /// <summary>The provider's firewall around the machine, with nothing open.</summary>
    Firewall = 2,

    /// <summary>The bastion's ports are opened in it, for both families, and nothing else.</summary>
    Rules = 3,

    /// <summary>The machine is asked for.</summary>
    Machine = 4,

    /// <summary>One is there whose id was not noted: the answer was lost, or we died before we wrote it down.</summary>
    Recognise = 5,

    /// <summary>It is off, and there is work to do on it.</summary>
    Start = 6,

    /// <summary>Its host key, learnt by another way than the network.</summary>
    HostKey = 7,

    /// <summary>The package and <c>bastion install</c>, over SSH.</summary>
    Install = 8,

    /// <summary>The host key is written where <c>bastion.host_keys</c> says.</summary>
    Pin = 9,

    /// <summary>What the daemon will call the provider with.</summary>
    Credential = 10,

    Stop = 11,

    /// <summary>The golden snapshot out of which the machine is made again.</summary>
    Snapshot = 12,

    /// <summary>The machine goes; its snapshot stays.</summary>
    Destroy = 13,

    /// <summary>A finished machine is gone by somebody else's doing: it is made anew.</summary>
    Forget = 14,

    Finish = 15,
}
