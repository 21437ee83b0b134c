using System.Net;
using InternalHost.Cloud.DigitalOcean;

namespace InternalHost.Naming;

/// <summary>Provider <c>digitalocean</c>: a record in a domain that DigitalOcean's name servers serve.</summary>
/// <param name="domain">As it is listed there: <c>example.net</c>.</param>
internal sealed class DomainNames(DigitalOceanClient client, string domain) : INameRecords
{
    public async Task PutAsync(string name, NameAddresses addresses, CancellationToken ct)
    {
        try
        {
            var there = await client.RecordsAsync(domain, name, ct);
            await PutAsync(name, "A", addresses.V4, [.. there.Where(r => r.Type == "A")], ct);
            await PutAsync(name, "AAAA", addresses.V6, [.. there.Where(r => r.Type == "AAAA")], ct);
        }
        catch (DigitalOceanException e)
        {
            throw DigitalOceanErrors.ToCloud(e, $"set {name} in {domain}");
        }
    }

    /// <summary>The new one first: for a moment there are two answers, and never none, which resolvers would remember for much longer.</summary>
    private async Task PutAsync(string name, string type, IPAddress? address, DomainRecord[] there, CancellationToken ct)
    {
        var kept = Array.Find(there, r => address is not null && IPAddress.TryParse(r.Data, out var a) && a.Equals(address) && r.Ttl == NameAddresses.TtlSeconds);
        if (kept is null && address is not null)
        {
            await client.AddRecordAsync(domain, new NewDomainRecord(type, Label(name), $"{address}", NameAddresses.TtlSeconds), ct);
        }

        foreach (var old in there.Where(r => r != kept))
        {
            await client.DeleteRecordAsync(domain, old.Id, ct);
        }
    }

    /// <summary>Relative to the domain; <c>@</c> is the domain itself.</summary>
    private string Label(string name) => name == domain ? "@" : name[..^(domain.Length + 1)];
}
