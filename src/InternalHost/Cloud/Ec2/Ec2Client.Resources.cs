using System.Collections.Immutable;
using System.Net;
using System.Text;
using System.Xml.Linq;

namespace InternalHost.Cloud.Ec2;

/// <param name="CreationDate">ISO 8601, so that it sorts as text.</param>
internal sealed record Ec2Image(string ImageId, string Name, string OwnerId, string Architecture, string RootDeviceName, string CreationDate, string State);

internal sealed record Ec2KeyPair(string KeyPairId, string KeyName, string Fingerprint, ImmutableSortedDictionary<string, string> Tags);

/// <param name="InstanceId">Null: it belongs to nothing, and costs money.</param>
internal sealed record Ec2Address(IPAddress PublicIp, string AllocationId, string? AssociationId, string? InstanceId, ImmutableSortedDictionary<string, string> Tags);

/// <param name="Size">GB.</param>
internal sealed record Ec2Volume(string VolumeId, string State, int Size, bool Encrypted, string? InstanceId, ImmutableSortedDictionary<string, string> Tags);

internal sealed record Ec2AvailabilityZone(string ZoneName, string ZoneState);

internal sealed partial class Ec2Client
{
    /// <param name="owner">Account id or alias: <c>amazon</c>, <c>136693071363</c> (Debian).</param>
    /// <param name="name">With wildcards: <c>debian-12-amd64-*</c>.</param>
    public Task<ImmutableArray<Ec2Image>> DescribeImagesAsync(string owner, string name, string architecture, CancellationToken ct) => ListAsync(
        new Ec2Call("DescribeImages").WithList("Owner", [owner]).WithFilter("name", name).WithFilter("architecture", architecture).WithFilter("state", "available"),
        answer => answer.Items("imagesSet").Select(i => new Ec2Image(
            i.Need("imageId"), i.Text("name") ?? "", i.Text("imageOwnerId") ?? "", i.Text("architecture") ?? "", i.Text("rootDeviceName") ?? "",
            i.Text("creationDate") ?? "", i.Text("imageState") ?? "")),
        ct);

    /// <param name="publicKey">One line, as in an authorized_keys file.</param>
    public async Task<Ec2KeyPair> ImportKeyPairAsync(string name, string publicKey, IReadOnlyDictionary<string, string> tags, CancellationToken ct) => KeyPair(await SendAsync(
        new Ec2Call("ImportKeyPair").With("KeyName", name).With("PublicKeyMaterial", Convert.ToBase64String(Encoding.UTF8.GetBytes(publicKey))).WithTagSpecification("key-pair", tags),
        ct));

    public Task<ImmutableArray<Ec2KeyPair>> DescribeKeyPairsByTagAsync(string tag, string value, CancellationToken ct) =>
        ListAsync(new Ec2Call("DescribeKeyPairs").WithFilter($"tag:{tag}", value), answer => answer.Items("keySet").Select(KeyPair), ct);

    /// <summary>One that is not there is no error.</summary>
    public async Task DeleteKeyPairAsync(string name, CancellationToken ct) => await SendAsync(new Ec2Call("DeleteKeyPair").With("KeyName", name), ct);

    /// <returns>Its allocation id and address.</returns>
    public async Task<Ec2Address> AllocateAddressAsync(IReadOnlyDictionary<string, string> tags, CancellationToken ct) =>
        Address(await SendAsync(new Ec2Call("AllocateAddress").With("Domain", "vpc").WithTagSpecification("elastic-ip", tags), ct));

    /// <returns>The association's id.</returns>
    public async Task<string> AssociateAddressAsync(string allocationId, string instanceId, CancellationToken ct) => (await SendAsync(
        new Ec2Call("AssociateAddress").With("AllocationId", allocationId).With("InstanceId", instanceId).With("AllowReassociation", false), ct)).Need("associationId");

    public Task<ImmutableArray<Ec2Address>> DescribeAddressesByTagAsync(string tag, string value, CancellationToken ct) =>
        ListAsync(new Ec2Call("DescribeAddresses").WithFilter($"tag:{tag}", value), answer => answer.Items("addressesSet").Select(Address), ct);

    public async Task DisassociateAddressAsync(string associationId, CancellationToken ct) =>
        await SendAsync(new Ec2Call("DisassociateAddress").With("AssociationId", associationId), ct);

    public async Task ReleaseAddressAsync(string allocationId, CancellationToken ct) =>
        await SendAsync(new Ec2Call("ReleaseAddress").With("AllocationId", allocationId), ct);

    public Task<ImmutableArray<Ec2Volume>> DescribeVolumesByTagAsync(string tag, string value, CancellationToken ct) => ListAsync(
        new Ec2Call("DescribeVolumes").WithFilter($"tag:{tag}", value),
        answer => answer.Items("volumeSet").Select(v => new Ec2Volume(
            v.Need("volumeId"), v.Text("status") ?? "", v.Number("size") ?? 0, v.Flag("encrypted"), v.Items("attachmentSet").FirstOrDefault()?.Text("instanceId"), v.Tags())),
        ct);

    /// <summary>Only while no machine has it.</summary>
    public async Task DeleteVolumeAsync(string id, CancellationToken ct) => await SendAsync(new Ec2Call("DeleteVolume").With("VolumeId", id), ct);

    public Task<ImmutableArray<Ec2AvailabilityZone>> DescribeAvailabilityZonesAsync(CancellationToken ct) => ListAsync(
        new Ec2Call("DescribeAvailabilityZones"),
        answer => answer.Items("availabilityZoneInfo").Select(z => new Ec2AvailabilityZone(z.Need("zoneName"), z.Text("zoneState") ?? "")),
        ct);

    private static Ec2KeyPair KeyPair(XElement item) => new(item.Text("keyPairId") ?? "", item.Need("keyName"), item.Text("keyFingerprint") ?? "", item.Tags());

    private static Ec2Address Address(XElement item) => new(
        item.Address("publicIp") ?? throw Ec2Exception.Unreadable("an address without publicIp"), item.Need("allocationId"), item.Text("associationId"), item.Text("instanceId"), item.Tags());
}
