using Common;
using Common.Configuration;

namespace InternalHost.Configuration;

/// <summary>What <c>cloud: ec2</c> and <c>cloud: digitalocean</c> need, in the <c>bastion</c> section.</summary>
[PureCore]
internal static class CloudApiReader
{
    private const int MostSizes = 8;
    private const int LongestWord = 30;
    private static readonly string[] Keys = ["region", "sizes", "secret", "endpoint"];

    /// <summary>Null: this provider has no API.</summary>
    public static CloudApiOptions? Read(ConfigurationSection section, CloudKind cloud) => cloud switch
    {
        CloudKind.Ec2 => Checked(section, new CloudApiOptions(
            section.Need("region", AwsRegion, "the AWS region of the VM, such as eu-central-1") ?? "",
            section.List("sizes", InstanceType, SiteDefaults.Ec2Sizes),
            section.Optional("secret", SiteReader.SecretName),
            section.Optional("endpoint", NetworkValues.WebAddress))),
        CloudKind.DigitalOcean => Checked(section, new CloudApiOptions(
            section.Need("region", DropletRegion, "DigitalOcean's short name of the VM's region, such as fra1") ?? "",
            section.List("sizes", DropletSize, SiteDefaults.DropletSizes),
            section.Need("secret", SiteReader.SecretName, "the name of the secret that holds the API token"),
            section.Optional("endpoint", NetworkValues.WebAddress))),
        _ => null,
    };

    /// <summary>Another provider's section has none of it.</summary>
    public static void Refuse(ConfigurationSection section) =>
        Array.ForEach(Array.FindAll(Keys, section.Has), key => section.Fail(key, "", "is for cloud: ec2 or digitalocean"));

    private static CloudApiOptions Checked(ConfigurationSection section, CloudApiOptions options)
    {
        if (options.Sizes.Length > MostSizes || options.Sizes.Distinct(StringComparer.Ordinal).Count() != options.Sizes.Length)
        {
            section.Fail("sizes", string.Join(", ", options.Sizes), $"must be 1 to {MostSizes} different sizes");
        }

        return options;
    }

    private static Reading<string> AwsRegion(string text) =>
        text.Split('-') is [{ Length: 2 }, .., [>= '1' and <= '9']] && IsWord(text, "-") ? text : Reading.Bad("must be an AWS region such as eu-central-1");

    private static Reading<string> InstanceType(string text) =>
        text.Split('.') is [{ Length: > 0 }, { Length: > 0 }] && IsWord(text, ".-") ? text : Reading.Bad("must be an EC2 instance type such as t3.nano");

    private static Reading<string> DropletRegion(string text) =>
        text is [_, _, _, >= '1' and <= '9'] && IsWord(text, "") ? text : Reading.Bad("must be a region of DigitalOcean such as fra1");

    private static Reading<string> DropletSize(string text) =>
        text.Split('-').Length >= 2 && IsWord(text, "-.") ? text : Reading.Bad("must be a Droplet size such as s-1vcpu-512mb-10gb");

    private static bool IsWord(string text, string marks) =>
        text.Length <= LongestWord && text.All(c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || marks.Contains(c, StringComparison.Ordinal));
}
