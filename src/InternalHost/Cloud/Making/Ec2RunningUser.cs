using System.Collections.Immutable;
using Common.Hosting;
using InternalHost.Cloud.Ec2;

namespace InternalHost.Cloud.Making;

/// <summary>
/// The user whose key the daemon calls EC2 with: it may do what <see cref="Ec2Policy"/> says. Its key is written into the secret's file
/// and nowhere else; a key whose secret was lost on its way is taken away again.
/// </summary>
/// <param name="secretFile">Where the daemon looks for it.</param>
/// <param name="say">A line for the owner.</param>
internal sealed class Ec2RunningUser(IamClient iam, MakingWish wish, string secretFile, Action<string> say)
{
    private const string PolicyName = "bastion";
    private const string KeyIdWord = "aws_access_key_id";
    private const UnixFileMode OursAlone = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    private string Policy => Ec2Policy.Render(wish.Site, wish.Region, wish.Sizes);

    public async Task<CredentialNote> MakeAsync(CancellationToken ct)
    {
        try
        {
            return await TryMakeAsync(ct);
        }
        catch (Ec2Exception e) when (Ec2Errors.IsNotPermitted(e.Code))
        {
            say($"AWS does not let this credential make users ({e.Code}). Make one by hand, with this policy and no other, and write its key into {secretFile} (0600):");
            say(Policy);
            return CredentialNote.ByOwner;
        }
        catch (Ec2Exception e) when (e.Code is IamClient.NoSuchEntity or IamClient.EntityAlreadyExists)
        {
            // IAM does not know yet, at one of its doors, what it said at another.
            throw new CloudException(CloudFailure.Transient, $"make the running user: AWS has not spread the news of it yet ({e.Code})", e);
        }
        catch (Ec2Exception e)
        {
            throw Ec2MakingErrors.ToCloud(e, "iam:CreateUser", "make the running user", wish.Region);
        }
    }

    public async Task<bool> IsThereAsync(CancellationToken ct)
    {
        try
        {
            return IsOurs(await iam.UserTagsAsync(wish.Name, ct));
        }
        catch (Ec2Exception e) when (Ec2Errors.IsNotPermitted(e.Code))
        {
            return false;
        }
        catch (Ec2Exception e)
        {
            throw Ec2MakingErrors.ToCloud(e, "iam:ListUserTags", "look for the running user", wish.Region);
        }
    }

    public async Task RemoveAsync(CancellationToken ct)
    {
        try
        {
            foreach (var id in await iam.AccessKeysAsync(wish.Name, ct))
            {
                await GoneAsync(() => iam.DeleteAccessKeyAsync(wish.Name, id, ct));
            }

            await GoneAsync(() => iam.DeleteUserPolicyAsync(wish.Name, PolicyName, ct));
            await GoneAsync(() => iam.DeleteUserAsync(wish.Name, ct));
        }
        catch (Ec2Exception e)
        {
            throw Ec2MakingErrors.ToCloud(e, "iam:DeleteUser", "remove the running user", wish.Region);
        }
    }

    private async Task<CredentialNote> TryMakeAsync(CancellationToken ct)
    {
        var tags = await iam.UserTagsAsync(wish.Name, ct);
        if (tags is not null && !IsOurs(tags))
        {
            say($"there is an IAM user {wish.Name} that was not made from here (no tag {Ec2Cloud.SiteTag}={wish.Site}); it is left alone. Give a user of yours this policy, and write its key into {secretFile} (0600):");
            say(Policy);
            return CredentialNote.ByOwner;
        }

        var keys = tags is null ? [] : await iam.AccessKeysAsync(wish.Name, ct);
        var held = HeldKey();
        if (held is not null && !keys.Contains(held))
        {
            say($"{secretFile} holds another key ({held}), and is left as it is: see that its user has this policy:");
            say(Policy);
            return CredentialNote.ByOwner;
        }

        if (tags is null)
        {
            await iam.CreateUserAsync(wish.Name, Ec2Cloud.SiteTag, wish.Site, ct);
        }

        await iam.PutUserPolicyAsync(wish.Name, PolicyName, Policy, ct);
        if (held is null)
        {
            await NewKeyAsync(keys, ct);
        }

        return CredentialNote.Made;
    }

    /// <summary>A key of this user that is not in the file is one whose secret nobody has.</summary>
    private async Task NewKeyAsync(ImmutableArray<string> lost, CancellationToken ct)
    {
        foreach (var id in lost)
        {
            await GoneAsync(() => iam.DeleteAccessKeyAsync(wish.Name, id, ct));
        }

        var key = await iam.CreateAccessKeyAsync(wish.Name, ct);
        AtomicFile.Put(secretFile, $"[default]\n{KeyIdWord} = {key.Id}\naws_secret_access_key = {key.Secret}\n", OursAlone);
        say($"IAM user {wish.Name}: key {key.Id} is in {secretFile}");
    }

    /// <summary>Null: the file holds none.</summary>
    private string? HeldKey() => AtomicFile.Text(secretFile)?.Split('\n').Select(l => l.Split('=', 2)).FirstOrDefault(p => p.Length == 2 && p[0].Trim() == KeyIdWord)?[1].Trim();

    private bool IsOurs(ImmutableSortedDictionary<string, string>? tags) => tags?.GetValueOrDefault(Ec2Cloud.SiteTag) == wish.Site;

    private static async Task GoneAsync(Func<Task> delete)
    {
        try
        {
            await delete();
        }
        catch (Ec2Exception e) when (e.Code == IamClient.NoSuchEntity)
        {
        }
    }
}
