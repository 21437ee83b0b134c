using System.Collections.Immutable;
using System.Xml.Linq;

namespace InternalHost.Cloud.Ec2;

/// <param name="Secret">Told once, when it is made.</param>
internal sealed record IamAccessKey(string Id, string Secret);

/// <summary>The calls of AWS's IAM by which a user is made and taken away; each throws <see cref="Ec2Exception"/>.</summary>
internal sealed class IamClient(IEc2Transport transport)
{
    public const string EntityAlreadyExists = "EntityAlreadyExists";
    public const string NoSuchEntity = "NoSuchEntity";

    /// <summary>Null: there is no such user. Else its tags.</summary>
    public async Task<ImmutableSortedDictionary<string, string>?> UserTagsAsync(string user, CancellationToken ct)
    {
        try
        {
            return (await transport.SendAsync(Call("ListUserTags", user), ct)).Descendants().First(e => e.Name.LocalName == "Tags").Elements()
                .ToImmutableSortedDictionary(t => t.Text("Key") ?? "", t => t.Text("Value") ?? "", StringComparer.Ordinal);
        }
        catch (Ec2Exception e) when (e.Code == NoSuchEntity)
        {
            return null;
        }
    }

    public async Task CreateUserAsync(string user, string tag, string value, CancellationToken ct) =>
        await transport.SendAsync(Call("CreateUser", user).With("Tags.member.1.Key", tag).With("Tags.member.1.Value", value), ct);

    public async Task DeleteUserAsync(string user, CancellationToken ct) => await transport.SendAsync(Call("DeleteUser", user), ct);

    /// <summary>In the place of one of that name.</summary>
    public async Task PutUserPolicyAsync(string user, string name, string document, CancellationToken ct) =>
        await transport.SendAsync(Call("PutUserPolicy", user).With("PolicyName", name).With("PolicyDocument", document), ct);

    public async Task DeleteUserPolicyAsync(string user, string name, CancellationToken ct) =>
        await transport.SendAsync(Call("DeleteUserPolicy", user).With("PolicyName", name), ct);

    /// <summary>The ids of its keys: two at most.</summary>
    public async Task<ImmutableArray<string>> AccessKeysAsync(string user, CancellationToken ct) =>
        [.. (await transport.SendAsync(Call("ListAccessKeys", user), ct)).Descendants().Where(e => e.Name.LocalName == "AccessKeyId").Select(e => e.Value)];

    /// <summary>Has no idempotency: where the reply is lost there is a key whose secret nobody knows.</summary>
    public async Task<IamAccessKey> CreateAccessKeyAsync(string user, CancellationToken ct)
    {
        var key = (await transport.SendAsync(Call("CreateAccessKey", user), ct)).Descendants().FirstOrDefault(e => e.Name.LocalName == "AccessKey")
            ?? throw Ec2Exception.Unreadable("CreateAccessKey gave no key");
        return new IamAccessKey(key.Need("AccessKeyId"), key.Need("SecretAccessKey"));
    }

    public async Task DeleteAccessKeyAsync(string user, string id, CancellationToken ct) =>
        await transport.SendAsync(Call("DeleteAccessKey", user).With("AccessKeyId", id), ct);

    private static Ec2Call Call(string action, string user) => new Ec2Call(action).With("UserName", user);
}
