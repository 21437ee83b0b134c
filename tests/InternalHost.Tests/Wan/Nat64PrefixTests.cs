using System.Net;
using InternalHost.Wan.Probes;

namespace InternalHost.Tests.Wan;

public sealed class Nat64PrefixTests
{
    /// <summary>The table of RFC 6052 section 2.4.</summary>
    [Theory]
    [InlineData("2001:db8::", 32, "2001:db8:c000:221::")]
    [InlineData("2001:db8:100::", 40, "2001:db8:1c0:2:21::")]
    [InlineData("2001:db8:122::", 48, "2001:db8:122:c000:2:2100::")]
    [InlineData("2001:db8:122:300::", 56, "2001:db8:122:3c0:0:221::")]
    [InlineData("2001:db8:122:344::", 64, "2001:db8:122:344:c0:2:2100::")]
    [InlineData("2001:db8:122:344::", 96, "2001:db8:122:344::c000:221")]
    [InlineData("64:ff9b::", 96, "64:ff9b::c000:221")]
    public void Addresses_are_those_of_rfc_6052(string prefix, int length, string expected)
    {
        var v4 = IPAddress.Parse("192.0.2.33");
        var nat64 = new Nat64Prefix(IPAddress.Parse(prefix), length);

        Assert.Equal(IPAddress.Parse(expected), nat64.Synthesize(v4));
        Assert.Equal(v4, nat64.Extract(IPAddress.Parse(expected)));
    }

    [Fact]
    public void Every_length_finds_itself_again_from_the_answer_for_the_well_known_name()
    {
        var random = new Random(20260311);
        foreach (var length in Nat64Prefix.Lengths)
        {
            for (var i = 0; i < 200; i++)
            {
                var bytes = new byte[16];
                random.NextBytes(bytes);
                bytes[0] = 0x20;
                bytes.AsSpan(length / 8).Clear();
                bytes[8] = 0;
                var prefix = new Nat64Prefix(new IPAddress(bytes), length);

                var found = Nat64Prefix.Discover([prefix.Synthesize(IPAddress.Parse($"192.0.0.{170 + (i % 2)}"))]);

                Assert.Equal(prefix, found);
            }
        }
    }

    [Theory]
    [InlineData("2001:db8::1")]
    [InlineData("64:ff9b::c000:221")]     // 192.0.2.33 is not what the name has
    [InlineData("2001:db8:122:344:ff00:c0:0:aa00")] // bits 64 to 71 must be zero
    [InlineData("192.0.0.170")]
    public void Other_answers_show_no_prefix(string answer)
    {
        Assert.Null(Nat64Prefix.Discover([IPAddress.Parse(answer)]));
    }

    [Fact]
    public void Only_its_own_addresses_are_taken_apart()
    {
        Assert.Null(Nat64Prefix.WellKnown.Extract(IPAddress.Parse("2001:db8::c000:221")));
        Assert.Null(Nat64Prefix.WellKnown.Extract(IPAddress.Parse("192.0.2.33")));
        Assert.Throws<ArgumentException>(() => Nat64Prefix.WellKnown.Synthesize(IPAddress.IPv6Loopback));
    }
}
