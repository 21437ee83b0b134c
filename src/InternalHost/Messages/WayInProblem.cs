using System.Collections.Frozen;
using Common;
using InternalHost.Cloud;
using InternalHost.Tunnel;

namespace InternalHost.Messages;

/// <summary>Why the way in is not open, as far as it makes a difference to somebody with a phone. Stored: numbers are fixed.</summary>
internal enum WayInProblem
{
    Unknown = 0,
    CloudRefusesKey = 1,
    CloudUnreachable = 2,
    CloudTrouble = 3,
    NoRoom = 4,
    NoVm = 5,
    VmSilent = 6,
    VmRefuses = 7,
    VmBooting = 8,
    BigPacketsLost = 9,
    WrongHostKey = 10,
    TunnelKeyRefused = 11,
    PortTaken = 12,
    PortNotPermitted = 13,
    TunnelDoesNotHold = 14,
    NoSshClient = 15,

    /// <summary>The tunnel stands, the SSH server it leads to does not answer.</summary>
    InnerSshDown = 16,

    /// <summary>Told late, when one of the two lines is back.</summary>
    BackupDown = 17,
    AccountShared = 18,
}

/// <summary>Each problem with its reason and the one thing that can be done about it from a phone.</summary>
[PureCore]
internal static class WayInProblems
{
    private const string StartIt = "Start VM {vm} in the cloud app, I will join it";
    private const string RestartIt = "Restart VM {vm} in the cloud app, I keep trying";
    private const string OtherPort = "Trying port {port}, next in 30 s";
    private const string KeepTrying = "I keep trying";

    private static readonly FrozenDictionary<WayInProblem, (string Reason, string Cure)> Words = new Dictionary<WayInProblem, (string, string)>
    {
        [WayInProblem.Unknown] = ("reason not known yet", KeepTrying),
        [WayInProblem.CloudRefusesKey] = ("{cloud} refuses our key", StartIt),
        [WayInProblem.CloudUnreachable] = ("{cloud} not reached by the backup", StartIt),
        [WayInProblem.CloudTrouble] = ("{cloud} has trouble", StartIt),
        [WayInProblem.NoRoom] = ("no room at {cloud}", StartIt),
        [WayInProblem.NoVm] = ("no VM of ours at {cloud}", "Look for VM {vm} in the cloud app, I keep looking"),
        [WayInProblem.VmSilent] = ("VM up but no tunnel", OtherPort),
        [WayInProblem.VmRefuses] = ("VM up, its SSH does not answer", RestartIt),
        [WayInProblem.VmBooting] = ("VM still booting", KeepTrying),
        [WayInProblem.BigPacketsLost] = ("big packets get lost on the backup", OtherPort),
        [WayInProblem.WrongHostKey] = ("wrong key at the VM", "Do not accept a new key on your phone; I keep trying"),
        [WayInProblem.TunnelKeyRefused] = ("VM refuses our tunnel key", RestartIt),
        [WayInProblem.PortTaken] = ("our port at the VM is taken", RestartIt),
        [WayInProblem.PortNotPermitted] = ("VM does not permit our port", KeepTrying),
        [WayInProblem.TunnelDoesNotHold] = ("tunnel does not hold", OtherPort),
        [WayInProblem.NoSshClient] = ("ssh is missing on the host inside", "Somebody has to install it at the site"),
        [WayInProblem.AccountShared] = ("another machine uses this site's account", "Stop it; I keep trying"),
        [WayInProblem.BackupDown] = ("the backup is down too", "If the power is on, restart the modem; I keep trying"),
        [WayInProblem.InnerSshDown] = ("SSH of the host inside is down", "Other services are open; I keep trying"),
    }.ToFrozenDictionary();

    public static WayInProblem Of(TunnelReason reason) => reason switch
    {
        TunnelReason.Timeout or TunnelReason.NoRoute => WayInProblem.VmSilent,
        TunnelReason.Refused or TunnelReason.NoBanner => WayInProblem.VmRefuses,
        TunnelReason.Booting => WayInProblem.VmBooting,
        TunnelReason.KexHang => WayInProblem.BigPacketsLost,
        TunnelReason.HostKeyChanged => WayInProblem.WrongHostKey,
        TunnelReason.Denied => WayInProblem.TunnelKeyRefused,
        TunnelReason.ForwardBusy or TunnelReason.ForeignListener => WayInProblem.PortTaken,
        TunnelReason.ForwardNotPermitted or TunnelReason.MuxDisabled => WayInProblem.PortNotPermitted,
        TunnelReason.ServerAliveTimeout or TunnelReason.Closed or TunnelReason.LoopProbeFailed => WayInProblem.TunnelDoesNotHold,
        TunnelReason.NoSshClient => WayInProblem.NoSshClient,
        TunnelReason.Evicted => WayInProblem.AccountShared,
        _ => WayInProblem.Unknown,
    };

    public static WayInProblem Of(CloudFailure failure) => failure switch
    {
        CloudFailure.Denied => WayInProblem.CloudRefusesKey,
        CloudFailure.Unreachable => WayInProblem.CloudUnreachable,
        CloudFailure.Transient or CloudFailure.LostReply => WayInProblem.CloudTrouble,
        CloudFailure.Capacity => WayInProblem.NoRoom,
        CloudFailure.NotFound => WayInProblem.NoVm,
        _ => WayInProblem.Unknown,
    };

    public static string Reason(WayInProblem problem, VmFacts vm) => Fill(Words[problem].Reason, vm);

    public static string Cure(WayInProblem problem, VmFacts vm) =>
        vm.OtherPort is null && Words[problem].Cure == OtherPort ? KeepTrying : Fill(Words[problem].Cure, vm);

    private static string Fill(string words, VmFacts vm) => words
        .Replace("{cloud}", vm.Cloud, StringComparison.Ordinal)
        .Replace("{vm}", vm.Name, StringComparison.Ordinal)
        .Replace("{port}", $"{vm.OtherPort}", StringComparison.Ordinal);
}
