using System.Collections.Immutable;
using System.Text;
using Bastion.Agent;
using Bastion.Host;
using Common.Configuration;
using Common.Hosting;
using Common.Sync;

namespace Bastion.People;

/// <summary>
/// Puts a site's bundle in force, as root: checked to its last value first, then accounts, keys and the bundle itself, and only then are those ended who are in
/// no bundle any more. sshd is not told: it reads the keys at each login. What fails is taken back.
/// </summary>
internal sealed class BundleApply(Shell shell, BundleFolder folder, HostSettings settings, TimeProvider time, Action<string> say)
{
    private const UnixFileMode Readable = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.OtherRead;
    private const int MostShown = 10;
    private static readonly TimeSpan Turn = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan LookEvery = TimeSpan.FromMilliseconds(50);

    private readonly PersonAccounts _accounts = new(shell);

    /// <param name="bytes">As they came over the wire.</param>
    public async Task<SyncReply> ApplyAsync(ReadOnlyMemory<byte> bytes, CancellationToken ct)
    {
        string? label = null;
        try
        {
            await using var turn = await TurnAsync(ct);
            if (SignedBundle.Split(bytes) is not var (signature, json))
            {
                throw new BundleRefused(SyncRefusal.Broken, $"no signature stands in front, or it is longer than {SignedBundle.LongestBytes} bytes");
            }

            var site = await SignerAsync(signature, json, ct);
            label = site.Site;
            var (people, others) = PersonAccounts.Read();
            Refuse(site, others);
            await PutInForceAsync(site, Encoding.UTF8.GetString(json.Span), people, ct);
            return Reply(label, new SyncReply(true));
        }
        catch (BundleRefused e)
        {
            return Reply(label, new SyncReply(false, e.Refusal, e.Message));
        }
        catch (Exception e) when (e is HostException or IOException or UnauthorizedAccessException)
        {
            return Reply(label, new SyncReply(false, SyncRefusal.Failed, e.Message));
        }
    }

    /// <summary>One bundle at a time; the system lets go when we die.</summary>
    private async Task<FileStream> TurnAsync(CancellationToken ct)
    {
        if (!Directory.Exists(folder.Folder))
        {
            throw new HostException($"{folder.Folder} is not there: bastion install");
        }

        for (var began = time.GetTimestamp(); ; await Task.Delay(LookEvery, time, ct))
        {
            try
            {
                return new FileStream(Path.Combine(folder.Folder, ".turn"), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
            }
            catch (IOException) when (time.GetElapsedTime(began) < Turn)
            {
                // another one's turn
            }
        }
    }

    /// <summary>The bundle, once it is known to be the word of the site that it names.</summary>
    private async Task<Bundle> SignerAsync(string signature, ReadOnlyMemory<byte> json, CancellationToken ct)
    {
        if (json.Span.TrimEnd(" \n\r\t"u8) is not [.., (byte)'}'])
        {
            throw new BundleRefused(SyncRefusal.Broken, "the bundle is cut: it does not end as it must");
        }

        var signers = await new BundleSignature(shell, folder.Folder).SignedByAsync(signature, json, [.. settings.Sites.SelectMany(s => KeysOf(Accounts.Site(s.Label)).Select(k => (s.Label, k)))], ct);
        var bundle = BundleReader.Read(json.Span);
        return signers.Contains(bundle.Site)
            ? bundle
            : throw new BundleRefused(SyncRefusal.NotSigned, $"the bundle names a site that its key is not of; it is signed by {string.Join(", ", signers)}");
    }

    private void Refuse(Bundle bundle, ImmutableHashSet<string> others)
    {
        if (folder.NumberOf(bundle.Site) is { } inForce && bundle.Number <= inForce)
        {
            throw new BundleRefused(SyncRefusal.Old, $"number {bundle.Number} is not above {inForce}, which is in force");
        }

        var hostKeys = Directory.Exists(Accounts.HostKeys) ? Directory.EnumerateFiles(Accounts.HostKeys).SelectMany(f => KeysOf(Path.GetFileName(f))) : [];
        var errors = BundleRules.Check(bundle, new BundleScene(settings.Sites.Single(s => s.Label == bundle.Site), others, [.. hostKeys]));
        if (errors.Count > 0)
        {
            var more = errors.Count > MostShown ? $"; and {errors.Count - MostShown} more" : "";
            throw new BundleRefused(SyncRefusal.Invalid, string.Join("; ", errors.Take(MostShown).Select(e => e.ToLine().Replace('\t', ' '))) + more);
        }
    }

    private async Task PutInForceAsync(Bundle bundle, string json, ImmutableHashSet<string> people, CancellationToken ct)
    {
        var others = folder.InForce(settings.Sites.Select(s => s.Label).Where(l => l != bundle.Site));
        var before = PeopleAccess.Of(folder.Of(bundle.Site) is { } old ? others.Add(old) : others);
        var access = PeopleAccess.Of(others.Add(bundle));
        var taken = new Stack<Func<Task>>();
        try
        {
            foreach (var name in access.Names.Where(n => !people.Contains(n)))
            {
                await _accounts.MakeAsync(name, ct);
                taken.Push(() => _accounts.RemoveAsync(name, CancellationToken.None));
            }

            PutKeys(access, taken);
            var text = folder.Text(bundle.Site);
            taken.Push(() => Done(() => folder.Put(bundle.Site, text)));
            folder.Put(bundle.Site, json);
            folder.PutNumber(bundle.Site, bundle.Number);
        }
        catch (Exception e) when (e is HostException or IOException or UnauthorizedAccessException or OperationCanceledException)
        {
            foreach (var back in taken)
            {
                await back();
            }

            throw new HostException($"taken back, what was in force still is: {e.Message}");
        }

        say($"{bundle.Site}: bundle {bundle.Number} is in force, {bundle.People.Count} people");
        await EndAsync(access, before, people);
    }

    /// <summary>What is not to be there goes, whoever has left it.</summary>
    private static void PutKeys(PeopleAccess access, Stack<Func<Task>> taken)
    {
        var files = Directory.EnumerateFiles(Accounts.PeopleKeys).Select(f => Path.GetFileName(f)).Union(access.Names).ToList();
        foreach (var (path, now) in files.Select(f => (Path.Combine(Accounts.PeopleKeys, f), access.Keys.ContainsKey(f) ? access.KeyFile(f) : null)))
        {
            var was = AtomicFile.Text(path);
            taken.Push(() => Done(() => AtomicFile.Put(path, was, Readable)));
            AtomicFile.Put(path, now, Readable);
        }
    }

    /// <summary>Their keys are gone already. An account that cannot be removed has none, and the next bundle finds it.</summary>
    private async Task EndAsync(PeopleAccess access, PeopleAccess before, ImmutableHashSet<string> people)
    {
        foreach (var name in access.Narrowed(before).Where(access.Keys.ContainsKey))
        {
            PersonAccounts.EndSessions(name);
        }

        foreach (var name in people.Where(n => !access.Keys.ContainsKey(n)))
        {
            try
            {
                await _accounts.RemoveAsync(name, CancellationToken.None);
            }
            catch (HostException e)
            {
                say($"the account of {name}, who has no key any more, stays: {e.Message}");
            }
        }
    }

    private SyncReply Reply(string? label, SyncReply reply) => reply with
    {
        Number = label is null ? null : folder.NumberOf(label),
        Formats = [Bundle.CurrentFormat],
        Version = Machine.Version,
    };

    private static ImmutableArray<string> KeysOf(string account) => AtomicFile.Text(Path.Combine(Accounts.HostKeys, account)) is { } text ? BundleSigners.KeysIn(text) : [];

    private static Task Done(Action action)
    {
        action();
        return Task.CompletedTask;
    }
}
