using System.Text;
using Common.Sync;
using Integration.Tests.Tunnel;

namespace Integration.Tests.Sync;

/// <summary>
/// A forced command in the place of <c>bastion sync</c>: keeps what it was given and answers as it was told, one way for each push, the
/// last one for all that follow.
/// </summary>
internal sealed class SyncStandIn
{
    private readonly string _folder;

    public SyncStandIn(string folder)
    {
        _folder = Directory.CreateDirectory(folder).FullName;
        Program = Path.Combine(_folder, "sync");
        File.WriteAllText(Program, $$"""
            #!/bin/sh
            cd {{_folder}}
            n=$(( $(ls | grep -c '^began') + 1 ))
            : > began$n
            cat > part$n && mv part$n got$n
            way=$(sed -n "${n}p" ways)
            case ${way:-$(tail -n 1 ways)} in
                ok) echo '{"ok":true}' ;;
                slow) sleep 2; echo '{"ok":true}' ;;
                old) echo '{"ok":false,"refusal":"old","error":"not above 5000000000","number":5000000000}' ;;
                absurd) echo '{"ok":false,"refusal":"old","error":"no","number":9223372036854775807}' ;;
                refused) echo '{"ok":false,"refusal":"invalid","error":"port 5 is outside the block"}'; exit 1 ;;
                cut) printf '{"ok":tr' ;;
                garbage) echo 'Welcome to this machine!'; echo '{"ok":true}' ;;
                flood) while :; do echo 'Welcome to this machine!'; done ;;
                silent) exit 0 ;;
                absent) echo 'sh: 1: bastion: not found' >&2; exit 127 ;;
                hanging) exec sleep 600 ;;
            esac

            """);
        File.SetUnixFileMode(Program, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        Answer("ok");
    }

    public string Program { get; }

    public void Answer(params string[] ways) => File.WriteAllLines(Path.Combine(_folder, "ways"), ways);

    /// <summary>Somebody is being answered, or was.</summary>
    public int Began => Directory.GetFiles(_folder, "began*").Length;

    /// <summary>Every push that came whole, the first one first.</summary>
    public IReadOnlyList<byte[]> Received => [.. Enumerable.Range(1, Began).Select(n => Path.Combine(_folder, $"got{n}")).Where(File.Exists).Select(File.ReadAllBytes)];

    /// <summary>The bundle, once the system's own ssh-keygen says that the site's key has signed it for this purpose.</summary>
    public async Task<string> VerifiedAsync(byte[] push, string publicKey)
    {
        var (signature, bundle) = SignedBundle.Split(push) ?? throw new InvalidDataException("no signature in front");
        var (signers, sig, message) = (Path.Combine(_folder, "signers"), Path.Combine(_folder, "sig"), Path.Combine(_folder, "message"));
        await File.WriteAllTextAsync(signers, $"home namespaces=\"{SignedBundle.Namespace}\" {publicKey}\n");
        await File.WriteAllTextAsync(sig, signature);
        await File.WriteAllBytesAsync(message, bundle.ToArray());
        await TestSshd.RunAsync("sh", "-c", $"ssh-keygen -Y verify -f {signers} -I home -n {SignedBundle.Namespace} -s {sig} < {message} > /dev/null");
        return Encoding.UTF8.GetString(bundle.Span);
    }
}
