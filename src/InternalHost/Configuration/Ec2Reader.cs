using Common;
using Common.Configuration;

namespace InternalHost.Configuration;

/// <summary>What <c>cloud: ec2</c> needs, in the <c>bastion</c> section.</summary>
[PureCore]
internal static class Ec2Reader
{
    private const int MostSizes = 8;
    private static readonly string[] Keys = ["region", "sizes", "secret", "endpoint"];

    public static Ec2Options Read(ConfigurationSection section)
    {
        var options = new Ec2Options(
            section.Need("region", Region, "the AWS region of the VM, such as eu-central-1") ?? "",
            section.List("sizes", Size, SiteDefaults.Ec2Sizes),
            section.Optional("secret", SiteReader.SecretName),
            section.Optional("endpoint", NetworkValues.WebAddress));
        if (options.Sizes.Length > MostSizes || options.Sizes.Distinct(StringComparer.Ordinal).Count() != options.Sizes.Length)
        {
            section.Fail("sizes", string.Join(", ", options.Sizes), $"must be 1 to {MostSizes} different instance types");
        }

        return options;
    }

    /// <summary>Another provider's section has none of it.</summary>
    public static void Refuse(ConfigurationSection section) => Array.ForEach(Array.FindAll(Keys, section.Has), key => section.Fail(key, "", "is for cloud: ec2"));

    private static Reading<string> Region(string text) =>
        text.Length <= 30 && text.Split('-') is [{ Length: 2 }, .., [>= '1' and <= '9']] && text.All(c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c == '-')
            ? text : Reading.Bad("must be an AWS region such as eu-central-1");

    private static Reading<string> Size(string text) =>
        text.Length <= 30 && text.Split('.') is [{ Length: > 0 }, { Length: > 0 }] && text.All(c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c is '.' or '-')
            ? text : Reading.Bad("must be an EC2 instance type such as t3.nano");
}
