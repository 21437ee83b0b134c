using System.Collections.Immutable;
using System.Globalization;
using System.Xml.Linq;
using static Lab.Clouds.Ec2Parameters;

namespace Lab.Clouds;

/// <param name="Keys">Id to secret.</param>
/// <param name="Policies">Name to document.</param>
public sealed record LabUser(string Name, ImmutableSortedDictionary<string, string> Tags, ImmutableSortedDictionary<string, string> Keys, ImmutableSortedDictionary<string, string> Policies);

/// <summary>The users of the stand-in's account, and their keys: IAM's part.</summary>
/// <param name="keys">A new key's requests are taken from then on.</param>
internal sealed class IamUsers(SignatureV4 keys)
{
    private const int MostKeys = 2;
    private static readonly XNamespace Iam = "https://iam.amazonaws.com/doc/2010-05-08/";

    private readonly Lock _gate = new();
    private readonly SortedDictionary<string, LabUser> _users = new(StringComparer.Ordinal);   // guarded by _gate, as is _last
    private int _last;

    public ImmutableArray<LabUser> Users
    {
        get
        {
            lock (_gate)
            {
                return [.. _users.Values];
            }
        }
    }

    /// <summary>Null: it is no action of these.</summary>
    public XElement? Do(string action, ImmutableSortedDictionary<string, string> p)
    {
        lock (_gate)
        {
            return action switch
            {
                "CreateUser" => Create(p),
                "ListUserTags" => Answer(action, E("Tags", [.. UserLocked(p).Tags.Select(t => E("member", E("Key", t.Key), E("Value", t.Value)))])),
                "PutUserPolicy" => Put(action, UserLocked(p), u => u with { Policies = u.Policies.SetItem(Need(p, "PolicyName"), Need(p, "PolicyDocument")) }),
                "DeleteUserPolicy" => Put(action, UserLocked(p), u => u.Policies.ContainsKey(Need(p, "PolicyName")) ? u with { Policies = u.Policies.Remove(Need(p, "PolicyName")) } : throw Missing()),
                "ListAccessKeys" => Answer(action, E("AccessKeyMetadata", [.. UserLocked(p).Keys.Keys.Select(k => E("member", E("AccessKeyId", k), E("Status", "Active")))])),
                "CreateAccessKey" => NewKey(UserLocked(p)),
                "DeleteAccessKey" => DeleteKey(UserLocked(p), Need(p, "AccessKeyId")),
                "DeleteUser" => Delete(UserLocked(p)),
                _ => null,
            };
        }
    }

    private XElement Create(ImmutableSortedDictionary<string, string> p)
    {
        var name = Need(p, "UserName");
        var tags = Numbered(p, "Tags.member").ToImmutableSortedDictionary(t => t["Key"], t => t["Value"], StringComparer.Ordinal);
        return _users.TryAdd(name, new LabUser(name, tags, ImmutableSortedDictionary<string, string>.Empty, ImmutableSortedDictionary<string, string>.Empty))
            ? Answer("CreateUser", E("User", E("UserName", name)))
            : throw new Ec2Refusal("EntityAlreadyExists", $"User with name {name} already exists.", 409);
    }

    private XElement NewKey(LabUser user)
    {
        if (user.Keys.Count == MostKeys)
        {
            throw new Ec2Refusal("LimitExceeded", "Cannot exceed quota for AccessKeysPerUser: 2", 409);
        }

        var (id, secret) = (string.Create(CultureInfo.InvariantCulture, $"AKIAUSER{++_last:d12}"), Guid.NewGuid().ToString("N"));
        keys.Add(id, secret);
        _users[user.Name] = user with { Keys = user.Keys.Add(id, secret) };
        return Answer("CreateAccessKey", E("AccessKey", E("UserName", user.Name), E("AccessKeyId", id), E("Status", "Active"), E("SecretAccessKey", secret)));
    }

    private XElement DeleteKey(LabUser user, string id)
    {
        keys.Remove(id);
        return Put("DeleteAccessKey", user, u => u.Keys.ContainsKey(id) ? u with { Keys = u.Keys.Remove(id) } : throw Missing());
    }

    private XElement Delete(LabUser user)
    {
        if (user.Keys.Count + user.Policies.Count > 0)
        {
            throw new Ec2Refusal("DeleteConflict", "Cannot delete entity, must delete its keys and policies first.", 409);
        }

        _users.Remove(user.Name);
        return Answer("DeleteUser");
    }

    private XElement Put(string action, LabUser user, Func<LabUser, LabUser> change)
    {
        _users[user.Name] = change(user);
        return Answer(action);
    }

    private LabUser UserLocked(ImmutableSortedDictionary<string, string> p) => _users.GetValueOrDefault(Need(p, "UserName")) ?? throw Missing();

    private static Ec2Refusal Missing() => new("NoSuchEntity", "The entity cannot be found.", 404);

    private static XElement Answer(string action, params object?[] result) =>
        E(action + "Response", E(action + "Result", result), E("ResponseMetadata", E("RequestId", Guid.NewGuid().ToString())));

    private static XElement E(string name, params object?[] content) => new(Iam + name, content);
}
