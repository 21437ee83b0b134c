using System.Security.Cryptography;
using Common.Processes;

namespace InternalHost.Cloud.Local;

/// <summary>The public half of a key pair, without a comment: host and user names stay out of it.</summary>
/// <param name="Line"><c>ssh-ed25519 AAAA...</c></param>
internal sealed record PublicKey(string Line)
{
    /// <summary>As ssh-keygen -l and sshd's log write it: SHA256: and unpadded base64 of the hash of the blob.</summary>
    public string Fingerprint => $"SHA256:{Convert.ToBase64String(SHA256.HashData(Convert.FromBase64String(Line.Split(' ')[1]))).TrimEnd('=')}";

    /// <exception cref="FormatException">Not a public key line.</exception>
    public static PublicKey Parse(string text) =>
        text.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries) is [var kind, var blob, ..] && Convert.TryFromBase64String(blob, new byte[blob.Length], out _)
            ? new($"{kind} {blob}")
            : throw new FormatException("not a public key line (TYPE BASE64)");
}

/// <summary>Makes ed25519 key pairs without passphrase and without comment, by the machine's ssh-keygen.</summary>
internal static class SshKeygen
{
    /// <summary>The pair at <paramref name="privateKeyFile"/>; made if it is not there.</summary>
    /// <exception cref="PrivateSshdException">ssh-keygen is missing, or failed.</exception>
    public static async Task<PublicKey> EnsurePairAsync(string privateKeyFile, IProcessLauncher launcher, CancellationToken ct)
    {
        if (!File.Exists(privateKeyFile) || !File.Exists(privateKeyFile + ".pub"))
        {
            File.Delete(privateKeyFile);
            var done = await RunAsync(privateKeyFile, launcher, ct);
            if (!done.Ok)
            {
                throw new PrivateSshdException($"ssh-keygen made no key at {privateKeyFile}: {done.Error} {done.Output}".TrimEnd());
            }
        }

        return PublicKey.Parse(await File.ReadAllTextAsync(privateKeyFile + ".pub", ct));
    }

    private static async Task<ProcessResult> RunAsync(string file, IProcessLauncher launcher, CancellationToken ct)
    {
        try
        {
            return await launcher.RunAsync(new ProcessSpec("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-C", "", "-f", file]), ct);
        }
        catch (ProcessStartException e)
        {
            throw new PrivateSshdException($"{e.Message}: install openssh-client", e);
        }
    }
}
