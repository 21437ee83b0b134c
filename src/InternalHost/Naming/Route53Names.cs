using System.Net;
using System.Xml.Linq;
using InternalHost.Cloud;
using InternalHost.Cloud.Ec2;

namespace InternalHost.Naming;

/// <summary>Provider <c>route53</c>: a record in a hosted zone of AWS. Both families change in one call, or neither.</summary>
/// <param name="zone">The hosted zone's id: <c>Z0123456789ABC</c>.</param>
internal sealed class Route53Names(IEc2Transport transport, string zone) : INameRecords
{
    private static readonly XNamespace Ns = "https://route53.amazonaws.com/doc/2013-04-01/";

    public async Task PutAsync(string name, NameAddresses addresses, CancellationToken ct)
    {
        try
        {
            var changes = new List<XElement>();
            foreach (var (type, address) in new[] { ("A", addresses.V4), ("AAAA", addresses.V6) })
            {
                if (address is not null)
                {
                    changes.Add(Change("UPSERT", Record(name, type, address)));
                }
                else if (await FindAsync(name, type, ct) is { } old)
                {
                    // Only a record told whole can be deleted.
                    changes.Add(Change("DELETE", old));
                }
            }

            await transport.SendAsync(new Ec2Call("ChangeResourceRecordSets") { Rest = new AwsRest("POST", Path, Batch(changes)) }, ct);
        }
        catch (Ec2Exception e)
        {
            throw Failed(e, name);
        }
    }

    private string Path => $"/{AwsService.Route53.Version}/hostedzone/{zone}/rrset";

    /// <summary>The list begins at the name and goes on with others; null: there is none of that type.</summary>
    private async Task<XElement?> FindAsync(string name, string type, CancellationToken ct)
    {
        var call = new Ec2Call("ListResourceRecordSets") { Rest = new AwsRest("GET", Path, null) };
        var answer = await transport.SendAsync(call.With("name", name).With("type", type).With("maxitems", 1), ct);
        return answer.Descendants().FirstOrDefault(e => e.Name.LocalName == "ResourceRecordSet" && e.Text("Name")?.TrimEnd('.') == name && e.Text("Type") == type);
    }

    private static XElement Record(string name, string type, IPAddress address) => new(Ns + "ResourceRecordSet",
        new XElement(Ns + "Name", name),
        new XElement(Ns + "Type", type),
        new XElement(Ns + "TTL", NameAddresses.TtlSeconds),
        new XElement(Ns + "ResourceRecords", new XElement(Ns + "ResourceRecord", new XElement(Ns + "Value", address))));

    private static XElement Change(string action, XElement record) => new(Ns + "Change", new XElement(Ns + "Action", action), record);

    private static string Batch(IEnumerable<XElement> changes) => new XElement(Ns + "ChangeResourceRecordSetsRequest",
        new XElement(Ns + "ChangeBatch", new XElement(Ns + "Changes", changes))).ToString(SaveOptions.DisableFormatting);

    /// <summary>Two of its errors are of the zone; the rest is AWS's as everywhere.</summary>
    private CloudException Failed(Ec2Exception e, string name) => e.Code switch
    {
        "NoSuchHostedZone" => new CloudException(CloudFailure.NotFound, $"set {name}: Route 53 has no hosted zone {zone} in this account: look at bastion.dns.zone", e),
        "InvalidChangeBatch" => new CloudException(CloudFailure.Unknown, $"set {name}: the hosted zone {zone} does not take it: is {name} in that zone, and no CNAME? ({e.Message})", e),
        _ => Ec2Errors.ToCloud(e, $"set {name} in {zone}"),
    };
}
