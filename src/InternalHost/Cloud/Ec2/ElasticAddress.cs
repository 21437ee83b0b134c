using System.Net;

namespace InternalHost.Cloud.Ec2;

/// <summary>An elastic IP of the account, in the instance's region.</summary>
internal sealed class ElasticAddress(Ec2Client client, IPAddress address) : IAddressKeeper
{
    public async Task HoldAsync(string instanceId, CancellationToken ct)
    {
        try
        {
            var kept = (await client.DescribeAddressesAsync(address, ct)) is [var only, ..] ? only : throw new CloudException(
                CloudFailure.NotFound, $"{address} is no elastic IP of this account and region: look at bastion.fixed_address");
            switch (kept.InstanceId)
            {
                case null:
                    await client.AssociateAddressAsync(kept.AllocationId, instanceId, ct);
                    break;
                case var other when other != instanceId:
                    throw new CloudException(CloudFailure.Denied, $"{address} leads to {other}: if that is not needed, disassociate it in the AWS console");
            }
        }
        catch (Ec2Exception e)
        {
            throw Ec2Errors.ToCloud(e, $"lead {address} to {instanceId}");
        }
    }
}
