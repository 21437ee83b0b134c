using System.Buffers.Binary;
using System.Text;
using Common.Configuration;

namespace Common.Tests.Configuration;

public sealed class PublicKeyTests
{
    private static readonly string Ed25519 = $"ssh-ed25519 {Blob("ssh-ed25519", new byte[32])}";

    [Fact]
    public void PublicKey_drops_its_comment()
    {
        Assert.Equal(Ed25519, PersonalValues.PublicKey(Ed25519 + " alice@laptop").Value);
    }

    [Fact]
    public void PublicKey_p256_and_sk_are_taken()
    {
        Assert.Null(PersonalValues.PublicKey($"ecdsa-sha2-nistp256 {Blob("ecdsa-sha2-nistp256", "nistp256"u8.ToArray(), [4, .. new byte[64]])}").Problem);
        Assert.Null(PersonalValues.PublicKey($"sk-ssh-ed25519@openssh.com {Blob("sk-ssh-ed25519@openssh.com", new byte[32], [1])}").Problem);
    }

    [Theory]
    [InlineData(256, true)]
    [InlineData(384, false)]
    [InlineData(512, false)]
    public void PublicKey_rsa_needs_3072_bits(int bytes, bool refused)
    {
        var modulus = new byte[bytes + 1];
        modulus[1] = 0x80;

        var problem = PersonalValues.PublicKey($"ssh-rsa {Blob("ssh-rsa", [1, 0, 1], modulus)}").Problem;

        Assert.Equal(refused, problem is not null);
    }

    [Theory]
    [InlineData("")]
    [InlineData("ssh-ed25519")]
    [InlineData("ssh-ed25519 AAAA")]
    [InlineData("ssh-ed25519 not*base64")]
    [InlineData("ssh-dss AAAAB3NzaC1kc3M=")]
    [InlineData("from=\"10.0.0.1\" ssh-ed25519 AAAA")]
    [InlineData("-----BEGIN OPENSSH PRIVATE KEY-----\nb3Bl\n")]
    public void PublicKey_bad(string text) => Assert.NotNull(PersonalValues.PublicKey(text).Problem);

    [Fact]
    public void PublicKey_type_and_blob_must_agree()
    {
        Assert.Contains("not of the type", PersonalValues.PublicKey(Ed25519.Replace("ssh-ed25519", "ssh-rsa", StringComparison.Ordinal)).Problem, StringComparison.Ordinal);
    }

    [Fact]
    public void PublicKey_any_blob_never_throws()
    {
        var random = new Random(3);
        var bytes = Convert.FromBase64String(Blob("ssh-rsa", [1, 0, 1], new byte[400]));
        for (var i = 0; i < 5_000; i++)
        {
            var blob = bytes.AsSpan(0, random.Next(bytes.Length)).ToArray();
            if (blob.Length > 0)
            {
                blob[random.Next(blob.Length)] = (byte)random.Next(256);
            }

            _ = PersonalValues.PublicKey($"ssh-rsa {Convert.ToBase64String(blob)}");
        }
    }

    private static string Blob(string type, params byte[][] parts)
    {
        var blob = new List<byte>();
        foreach (var part in parts.Prepend(Encoding.ASCII.GetBytes(type)))
        {
            var length = new byte[4];
            BinaryPrimitives.WriteInt32BigEndian(length, part.Length);
            blob.AddRange(length);
            blob.AddRange(part);
        }

        return Convert.ToBase64String([.. blob]);
    }
}
