using InternalHost.Wan.Detection;

namespace InternalHost.Tests.Wan;

public sealed class WalledTests
{
    private const UplinkName P = UplinkName.Primary;
    private static readonly WitnessName[] Everyone = [.. DetectorOptions.AllWitnesses];
    private static readonly WitnessName[] Dns = [WitnessName.IspDns, WitnessName.DnsA, WitnessName.DnsB];
    private static readonly WitnessName[] Tls = [WitnessName.TlsA, WitnessName.TlsB];

    /// <summary>
    /// Two brownouts a quarter of a minute apart: the first leaves both TLS witnesses resting with failed handshakes, and they are hardly
    /// asked between the two. What they failed in the first says nothing in the second. Found by bench/run false-down, S4.
    /// </summary>
    [Theory]
    [InlineData(100)]
    [InlineData(101)]
    [InlineData(102)]
    [InlineData(103)]
    [InlineData(104)]
    public void Brownout_after_a_brownout_is_no_wall(double start)
    {
        var world = new ScriptedWorld()
            .When(start, w => w.Loss(P, 1, [.. Dns, WitnessName.TlsB]))
            .When(start + 3, w => w.Cut(P))
            .When(start + 5, w => w.Loss(P, 0, Dns))
            .When(start + 6.5, w => w.Loss(P, 0, Tls))
            .When(start + 20, w => w.Cut(P))
            .When(start + 22, w => w.Restore(P))
            .RunTo(start + 60);

        Assert.True(world.Primary.TrueForAll(v => v.Usable != Usable.No), world.Story());
        Assert.Equal(UplinkState.Up, world.Pair.Primary.Current.State);
    }
}
