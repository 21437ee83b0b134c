namespace InternalHost.Configuration;

/// <summary>Where logins to this host are read from. What is null is found out at the start.</summary>
/// <param name="Log"><see cref="Journal"/>, <see cref="None"/>, or the path of sshd's log.</param>
/// <param name="Spool"><see cref="None"/>, or the folder in which the PAM hook leaves its events.</param>
public sealed record LoginOptions(string? Log, string? Spool)
{
    public const string Journal = "journal";
    public const string None = "none";
    public const string DefaultSpool = "/var/spool/internalhost";
    public const string UsualLog = "/var/log/auth.log";
}
