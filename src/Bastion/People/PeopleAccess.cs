using System.Collections.Immutable;
using System.Globalization;
using System.Text;
using Common;
using Common.Configuration;
using Common.Sync;

namespace Bastion.People;

/// <summary>
/// Who may come in by which key, and where each key leads: what all sites of this bastion say together. The limit is the key's, not the account's:
/// a site that calls somebody by the name of another site's person, with a key of its own, gains nothing there.
/// </summary>
/// <param name="Keys">By person, by public key (<c>type base64</c>): the loopback ports that sites have given to that key of that person.</param>
[PureCore]
internal sealed record PeopleAccess(ImmutableSortedDictionary<string, ImmutableSortedDictionary<string, ImmutableSortedSet<int>>> Keys)
{
    public IEnumerable<string> Names => Keys.Keys;

    public static PeopleAccess Of(IEnumerable<Bundle> bundles) => new(bundles
        .SelectMany(b => b.People)
        .GroupBy(p => p.Name, StringComparer.Ordinal)
        .ToImmutableSortedDictionary(
            person => person.Key,
            person => person
                .SelectMany(p => p.Devices.Select(d => (Key: PersonalValues.PublicKey(d.Key).Value!, p.Ports)))
                .GroupBy(k => k.Key, StringComparer.Ordinal)
                .ToImmutableSortedDictionary(k => k.Key, k => k.SelectMany(p => p.Ports).ToImmutableSortedSet(), StringComparer.Ordinal),
            StringComparer.Ordinal));

    /// <summary>
    /// The person's authorized_keys. Everything is off but jumps to these ports; without permitopen sshd would allow any, so that a key without ports gets no
    /// forwarding at all.
    /// </summary>
    public string KeyFile(string name)
    {
        var text = new StringBuilder();
        foreach (var (key, ports) in Keys[name])
        {
            text.Append("restrict");
            if (!ports.IsEmpty)
            {
                text.Append(",port-forwarding").AppendJoin("", ports.Select(p => string.Create(CultureInfo.InvariantCulture, $",permitopen=\"127.0.0.1:{p}\"")));
            }

            text.Append(' ').Append(key).Append('\n');
        }

        return text.ToString();
    }

    /// <summary>
    /// People who have lost a key or a port against <paramref name="before"/>: a session that stands was let in by what it was then. sshd does not tell which of
    /// a person's sessions came by which key, so all of them end; who still has a key comes back at once.
    /// </summary>
    public IEnumerable<string> Narrowed(PeopleAccess before) => before.Keys
        .Where(person => person.Value.Any(key => !(Keys.GetValueOrDefault(person.Key)?.GetValueOrDefault(key.Key) is { } now && key.Value.IsSubsetOf(now))))
        .Select(person => person.Key);
}
