using Common.Configuration;

namespace Common.Tests.Configuration;

public sealed class MaskingTests
{
    [Theory]
    [InlineData("messages.sms.secret", true)]
    [InlineData("messages.sms.secrt", true)]
    [InlineData("bastion.socket", false)]   // two keystrokes from secret
    [InlineData("secrets_directory", false)]
    public void Key_names_a_secret_or_does_not(string key, bool secret) => Assert.Equal(secret, Masking.IsSecretKey(key));
}
