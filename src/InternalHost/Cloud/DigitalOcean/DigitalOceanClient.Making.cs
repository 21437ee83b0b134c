using System.Collections.Immutable;

namespace InternalHost.Cloud.DigitalOcean;

/// <summary>The calls by which a site's things are made and taken away.</summary>
internal sealed partial class DigitalOceanClient
{
    /// <summary>Accepted, not yet running; as the other one, it is never repeated unlooked.</summary>
    public async Task<Droplet> CreateDropletAsync(FirstDroplet droplet, CancellationToken ct) =>
        (await http.PostAsync("droplets", droplet, Json.FirstDroplet, Json.DropletReply, ct)).Droplet ?? throw Strange("droplet");

    public Task<ImmutableArray<AccountKey>> KeysAsync(CancellationToken ct) =>
        ListAsync<AccountKeyPage, AccountKey>($"account/keys?per_page={Number(PageSize)}", Json.AccountKeyPage, ct);

    /// <summary>A key that the account has already is refused.</summary>
    public async Task<AccountKey> CreateKeyAsync(string name, string publicKey, CancellationToken ct) =>
        (await http.PostAsync("account/keys", new NewAccountKey(name, publicKey), Json.NewAccountKey, Json.AccountKeyReply, ct)).SshKey ?? throw Strange("ssh_key");

    public Task DeleteKeyAsync(long id, CancellationToken ct) => http.DeleteAsync($"account/keys/{Number(id)}", ct);

    public Task<ImmutableArray<CloudFirewall>> FirewallsAsync(CancellationToken ct) =>
        ListAsync<FirewallPage, CloudFirewall>($"firewalls?per_page={Number(PageSize)}", Json.FirewallPage, ct);

    public async Task<CloudFirewall> CreateFirewallAsync(CloudFirewall firewall, CancellationToken ct) =>
        (await http.PostAsync("firewalls", firewall, Json.CloudFirewall, Json.FirewallReply, ct)).Firewall ?? throw Strange("firewall");

    /// <summary>All of it is replaced.</summary>
    public async Task<CloudFirewall> PutFirewallAsync(string id, CloudFirewall firewall, CancellationToken ct) =>
        (await http.PutAsync($"firewalls/{Uri.EscapeDataString(id)}", firewall, Json.CloudFirewall, Json.FirewallReply, ct)).Firewall ?? throw Strange("firewall");

    public Task DeleteFirewallAsync(string id, CancellationToken ct) => http.DeleteAsync($"firewalls/{Uri.EscapeDataString(id)}", ct);

    /// <summary>One that is there is no error.</summary>
    public Task CreateTagAsync(string name, CancellationToken ct) => http.PostAsync("tags", new NewTag(name), Json.NewTag, Json.TagReply, ct);

    public async Task<bool> HasTagAsync(string name, CancellationToken ct)
    {
        try
        {
            await http.GetAsync($"tags/{Uri.EscapeDataString(name)}", Json.TagReply, ct);
            return true;
        }
        catch (DigitalOceanException e) when (e.IsNotFound)
        {
            return false;
        }
    }

    public Task DeleteTagAsync(string name, CancellationToken ct) => http.DeleteAsync($"tags/{Uri.EscapeDataString(name)}", ct);
}
