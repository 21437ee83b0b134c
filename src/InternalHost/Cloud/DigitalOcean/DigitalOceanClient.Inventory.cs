using System.Collections.Immutable;
using System.Globalization;

namespace InternalHost.Cloud.DigitalOcean;

/// <summary>The calls by which what is there is seen and adopted.</summary>
internal sealed partial class DigitalOceanClient
{
    /// <summary>Of the whole account.</summary>
    public Task<ImmutableArray<DropletVolume>> VolumesAsync(CancellationToken ct) =>
        ListAsync<VolumePage, DropletVolume>($"volumes?per_page={Number(PageSize)}", Json.VolumePage, ct);

    public Task DeleteVolumeAsync(string id, CancellationToken ct) => http.DeleteAsync($"volumes/{Uri.EscapeDataString(id)}", ct);

    /// <summary>The tag is made where it is not there yet; a Droplet that has it is no error.</summary>
    public async Task TagDropletAsync(string tag, long id, CancellationToken ct)
    {
        await CreateTagAsync(tag, ct);
        await http.PostAsync(
            $"tags/{Uri.EscapeDataString(tag)}/resources", new TaggedResources([new TaggedResource(id.ToString(CultureInfo.InvariantCulture), "droplet")]), Json.TaggedResources, ct);
    }
}
