using System.Collections.Immutable;
using Bastion.Host;
using Common.Sync;

namespace Bastion.People;

/// <summary>Finds out whose signature stands in front of a bundle, before anything of it is read. The work is <c>ssh-keygen</c>'s.</summary>
/// <param name="folder">In RAM, root's alone: the bundle lies there while it is checked, and it holds secrets.</param>
internal sealed class BundleSignature(Shell shell, string folder)
{
    /// <param name="keys">Of the sites of this bastion, by label.</param>
    /// <returns>The sites whose key has signed exactly these bytes as a bundle; more than one only where sites share a key.</returns>
    /// <exception cref="BundleRefused">Nobody's.</exception>
    /// <exception cref="HostException">ssh-keygen cannot be run.</exception>
    public async Task<ImmutableArray<string>> SignedByAsync(
        string signature, ReadOnlyMemory<byte> bundle, ImmutableArray<(string Label, string Key)> keys, CancellationToken ct)
    {
        var place = Path.Combine(folder, ".checking");
        Directory.CreateDirectory(place);
        File.SetUnixFileMode(place, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        try
        {
            string FileOf(string name) => Path.Combine(place, name);
            await File.WriteAllTextAsync(FileOf("signers"), BundleSigners.Write(keys), ct);
            await File.WriteAllTextAsync(FileOf("signature"), signature, ct);
            await File.WriteAllBytesAsync(FileOf("bundle"), bundle, ct);
            var found = await shell.RunAsync("ssh-keygen", ["-Y", "find-principals", "-n", SignedBundle.Namespace, "-f", FileOf("signers"), "-s", FileOf("signature")], ct);
            var accounts = found.Ok ? found.Output.Trim().Split('\n')[0].Split(',') : [];
            if (accounts is not [{ Length: > 0 } account, ..] || !await VerifiesAsync(account, FileOf, ct))
            {
                throw new BundleRefused(SyncRefusal.NotSigned, "the bundle is not signed by the key of any site of this bastion (bastion install --site-key LABEL=FILE)");
            }

            return [.. keys.Select(k => k.Label).Distinct().Where(label => accounts.Contains(Accounts.Site(label)))];
        }
        finally
        {
            Directory.Delete(place, recursive: true);
        }
    }

    /// <summary>Our launcher gives no input to its children: the shell does.</summary>
    private async Task<bool> VerifiesAsync(string account, Func<string, string> fileOf, CancellationToken ct) => (await shell.RunAsync(
        "sh",
        [
            "-c", "input=$1; shift; exec ssh-keygen \"$@\" <\"$input\"", "sh", fileOf("bundle"),
            "-Y", "verify", "-n", SignedBundle.Namespace, "-I", account, "-f", fileOf("signers"), "-s", fileOf("signature"), .. Revoked(),
        ],
        ct)).Ok;

    private static IEnumerable<string> Revoked() => File.Exists(Accounts.RevokedKeys) ? ["-r", Accounts.RevokedKeys] : [];
}
