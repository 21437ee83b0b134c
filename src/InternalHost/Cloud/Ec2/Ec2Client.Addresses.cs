using System.Collections.Immutable;
using System.Net;

namespace InternalHost.Cloud.Ec2;

internal sealed partial class Ec2Client
{
    /// <summary>The elastic IP of that address; empty: it is none of this account and region.</summary>
    public Task<ImmutableArray<Ec2Address>> DescribeAddressesAsync(IPAddress address, CancellationToken ct) =>
        ListAsync(new Ec2Call("DescribeAddresses").WithFilter("public-ip", $"{address}"), answer => answer.Items("addressesSet").Select(Address), ct);
}
