using System.Globalization;
using System.Net;

namespace Common.Logins;

/// <summary>What one message of sshd says, as far as it concerns who came and who left.</summary>
internal abstract record SshdMessage
{
    private SshdMessage()
    {
    }

    /// <summary>Authentication is complete: this is a login, whatever the client does next (<c>-N</c>, <c>-W</c>, sftp, nothing).</summary>
    /// <param name="From">Null only when the line carries no numeric address (<c>UNKNOWN</c>).</param>
    /// <param name="Ambiguous">The line can be read in more than one way: somebody chose a name to forge it.</param>
    public sealed record Accepted(string Method, string User, IPEndPoint? From, PublicKey? Key, bool Ambiguous) : SshdMessage;

    public sealed record Failed(string Method, string User, bool UnknownUser, IPEndPoint? From) : SshdMessage;

    public sealed record InvalidUser(string User, IPEndPoint? From) : SshdMessage;

    /// <summary>A connection ended. A hint only: an attacker who cannot log in still writes most of such a line, so the kernel decides.</summary>
    /// <param name="BeforeLogin">As somebody who was still trying to get in.</param>
    public sealed record Ended(ConnectionEnd How, string? User, IPEndPoint? From, bool BeforeLogin = false) : SshdMessage;

    /// <summary>A connection that was not let in to try: too many at once, or a penalty for what came before (OpenSSH 9.8).</summary>
    public sealed record Dropped(IPEndPoint? From, string Why) : SshdMessage;

    /// <summary><c>pam_unix(sshd:session): session closed</c>: carries no address, joined by pid where there is one.</summary>
    public sealed record PamSessionClosed(string User) : SshdMessage;

    /// <summary>The first of two methods is done (<c>Partial publickey for ...</c>, at LogLevel VERBOSE): no login yet.</summary>
    public sealed record Partial(string Method, string User, IPEndPoint? From, PublicKey? Key) : SshdMessage;

    /// <summary>The PAM hook ran and could not write its event down.</summary>
    /// <param name="Process">As <see cref="LoginSighting.Pid"/>.</param>
    public sealed record NotSpooled(int Process) : SshdMessage;

    /// <summary>sshd said something else.</summary>
    public sealed record Other : SshdMessage;
}

internal enum ConnectionEnd
{
    Unknown = 0,
    Closed = 1,
    Reset = 2,
    Disconnected = 3,
    DisconnectReceived = 4,
}

/// <param name="Type">As sshd prints it: ED25519, RSA, ECDSA-SK, ED25519-CERT.</param>
/// <param name="Fingerprint"><c>SHA256:...</c> of the key itself, also for a certificate.</param>
internal sealed record PublicKey(string Type, string Fingerprint, Certificate? Certificate = null);

/// <param name="Id">Free text chosen by whoever signed; never trusted to be one word.</param>
internal sealed record Certificate(string Id, ulong Serial, string CaType, string CaFingerprint)
{
    /// <summary>As sshd's log writes it.</summary>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Id} (serial {Serial}) CA {CaType} {CaFingerprint}");
}
