using System.Collections.Immutable;
using Bastion.Configuration;
using Common.Hosting;
using Common.Logins;

namespace Bastion.Agent;

/// <summary>
/// Keeps new people out, and never a site: a tunnel that breaks while draining must be able to come back and undrain.
/// Two ways: a file that our PAM line (people only) or a person's forced command looks at; and, for an sshd without PAM, a list of
/// revoked keys, which also refuses <c>-N</c> and <c>-W</c>, where no command runs.
/// </summary>
internal sealed class Door(DoorOptions options, ImmutableArray<Identity> identities)
{
    private const string Sentence = "This bastion is closing: the primary line is back. Use the normal way in.\n";
    private const UnixFileMode Readable = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.OtherRead;

    /// <summary>Left so by an agent that was killed.</summary>
    public bool IsClosed => File.Exists(options.NologinPath);

    /// <exception cref="IOException">It could not be closed.</exception>
    /// <exception cref="UnauthorizedAccessException">It could not be closed.</exception>
    public void Close()
    {
        if (options.RevokedKeys is { } list)
        {
            Replace(list, KeyRevocationList.Write(identities.Where(i => i.Role != LoginRole.Site).Select(i => i.Fingerprint)));
        }

        Replace(options.NologinPath, System.Text.Encoding.ASCII.GetBytes(Sentence));
    }

    /// <exception cref="IOException">It could not be opened.</exception>
    /// <exception cref="UnauthorizedAccessException">It could not be opened.</exception>
    public void Open()
    {
        if (options.RevokedKeys is { } list)
        {
            // Emptied, never removed: without the file sshd refuses every key.
            Replace(list, KeyRevocationList.Write([]));
        }

        File.Delete(options.NologinPath);
    }

    /// <summary>sshd never reads half a file, and may read it whatever the umask of the service is.</summary>
    private static void Replace(string path, byte[] content)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        AtomicFile.Put(path, content, Readable);
    }
}
