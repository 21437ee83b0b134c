using System.Collections.Immutable;

namespace InternalHost.Cloud.Ec2;

/// <param name="VolumeSize">GB of the volume that it was taken of; what is paid for is less.</param>
internal sealed record Ec2Snapshot(string SnapshotId, string State, int VolumeSize, ImmutableSortedDictionary<string, string> Tags);

/// <summary>The calls by which what is there is seen and taken away.</summary>
internal sealed partial class Ec2Client
{
    public Task<ImmutableArray<Ec2Snapshot>> DescribeSnapshotsByTagAsync(string tag, string value, CancellationToken ct) => ListAsync(
        new Ec2Call("DescribeSnapshots").WithList("Owner", ["self"]).WithFilter($"tag:{tag}", value),
        answer => answer.Items("snapshotSet").Select(s => new Ec2Snapshot(s.Need("snapshotId"), s.Text("status") ?? "", s.Number("volumeSize") ?? 0, s.Tags())),
        ct);

    public async Task DeleteSnapshotAsync(string id, CancellationToken ct) => await SendAsync(new Ec2Call("DeleteSnapshot").With("SnapshotId", id), ct);
}
