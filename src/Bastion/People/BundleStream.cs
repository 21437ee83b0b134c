using Common.Sync;

namespace Bastion.People;

/// <summary>What a sender sends until it ends, and no more of it than a bundle can be.</summary>
internal static class BundleStream
{
    /// <returns>One byte more than may be, where it is longer: then it is refused as broken.</returns>
    public static async Task<ReadOnlyMemory<byte>> ReadAsync(Stream input, CancellationToken ct)
    {
        var bytes = new byte[SignedBundle.LongestBytes + 1];
        // A read of the console knows of no cancelling.
        var length = await input.ReadAtLeastAsync(bytes, bytes.Length, throwOnEndOfStream: false, ct).AsTask().WaitAsync(ct);
        return bytes.AsMemory(0, length);
    }
}
