using Common.Processes;
using InternalHost.Cloud.Local;

namespace InternalHost.Cloud.Making;

/// <summary>Makes host keys for one first contact. Their private halves are on disk only while they are read.</summary>
/// <param name="folder">0700.</param>
internal sealed class OneTimeKeys(IProcessLauncher launcher, string folder)
{
    public async Task<OneTimeHostKey> NewAsync(CancellationToken ct)
    {
        var file = Path.Combine(folder, "one-time");
        try
        {
            Erase(file);
            var pair = await SshKeygen.EnsurePairAsync(file, launcher, ct);
            return new OneTimeHostKey(await File.ReadAllTextAsync(file, ct), pair.Line);
        }
        catch (PrivateSshdException e)
        {
            throw new MakingException(e.Message, e);
        }
        finally
        {
            Erase(file);
        }
    }

    private static void Erase(string file)
    {
        File.Delete(file);
        File.Delete(file + ".pub");
    }
}
