using System.Collections.Immutable;
using System.Text.Json.Serialization;

namespace InternalHost.Cloud.DigitalOcean;

/// <param name="Name">Relative to its domain.</param>
internal sealed record DomainRecord(long Id, string Type, string Name, string? Data, int Ttl);

internal sealed record NewDomainRecord(string Type, string Name, string Data, int Ttl);

internal sealed record DomainRecordReply(DomainRecord? DomainRecord);

internal sealed record DomainRecordPage(IReadOnlyList<DomainRecord>? DomainRecords, PageLinks? Links) : IPage<DomainRecord>
{
    public IReadOnlyList<DomainRecord>? Items => DomainRecords;
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(NewDomainRecord))]
[JsonSerializable(typeof(DomainRecordReply))]
[JsonSerializable(typeof(DomainRecordPage))]
internal sealed partial class DomainJson : JsonSerializerContext;

internal sealed partial class DigitalOceanClient
{
    /// <summary>Records of one name of a domain, of every type.</summary>
    /// <param name="name">Whole: <c>home.example.net</c>.</param>
    public Task<ImmutableArray<DomainRecord>> RecordsAsync(string domain, string name, CancellationToken ct) => ListAsync<DomainRecordPage, DomainRecord>(
        $"domains/{Uri.EscapeDataString(domain)}/records?name={Uri.EscapeDataString(name)}&per_page={Number(PageSize)}", DomainJson.Default.DomainRecordPage, ct);

    /// <summary>There is no idempotency key: where the reply is lost, look before asking again.</summary>
    public async Task<DomainRecord> AddRecordAsync(string domain, NewDomainRecord record, CancellationToken ct) => (await http.PostAsync(
        $"domains/{Uri.EscapeDataString(domain)}/records", record, DomainJson.Default.NewDomainRecord, DomainJson.Default.DomainRecordReply, ct)).DomainRecord ?? throw Strange("domain record");

    /// <summary>What is gone already is no error.</summary>
    public async Task DeleteRecordAsync(string domain, long id, CancellationToken ct)
    {
        try
        {
            await http.DeleteAsync($"domains/{Uri.EscapeDataString(domain)}/records/{Number(id)}", ct);
        }
        catch (DigitalOceanException e) when (e.IsNotFound)
        {
        }
    }
}
