using System.Collections.Immutable;
using Bastion.Audit;
using Bastion.Host;
using Common;
using Common.Configuration;
using Common.Sync;

namespace Bastion.People;

/// <summary>Whose signature counts: the keys by which sites' tunnels come, as <c>/etc/bastion/keys/site-LABEL</c> has them.</summary>
[PureCore]
internal static class BundleSigners
{
    /// <summary>The keys (<c>type base64</c>) of an authorized_keys text; a line that is none is left out.</summary>
    public static ImmutableArray<string> KeysIn(string text) =>
        [.. text.Split('\n').Select(SshChecks.KeyOf).OfType<string>().Select(k => PersonalValues.PublicKey(k).Value).OfType<string>()];

    /// <summary>
    /// ssh-keygen's ALLOWED SIGNERS: one line a key, with the account of every site that has it, so that a key alone names whose it is.
    /// </summary>
    /// <param name="keys">By label.</param>
    public static string Write(IEnumerable<(string Label, string Key)> keys) => string.Concat(keys
        .GroupBy(k => k.Key, k => Accounts.Site(k.Label), StringComparer.Ordinal)
        .Select(k => $"{string.Join(',', k.Distinct(StringComparer.Ordinal))} namespaces=\"{SignedBundle.Namespace}\" {k.Key}\n"));
}
