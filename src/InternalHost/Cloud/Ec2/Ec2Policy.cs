using System.Collections.Immutable;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Common;

namespace InternalHost.Cloud.Ec2;

/// <summary>
/// The IAM policy of the running daemon's key: to see, and to start, stop and resize what bears the site's tag. With it a stolen key makes
/// nothing, opens nothing and reads no disk.
/// </summary>
[PureCore]
internal static class Ec2Policy
{
    /// <summary>EC2 lets nobody be confined in what he lists.</summary>
    public static readonly ImmutableArray<string> Describing = ["DescribeInstances", "DescribeVolumes", "DescribeAddresses", "DescribeSnapshots"];

    public static readonly ImmutableArray<string> Switching = ["StartInstances", "StopInstances"];

    /// <summary>To one of the listed types, and nothing else of the instance.</summary>
    public static readonly ImmutableArray<string> Resizing = ["ModifyInstanceAttribute"];

    /// <summary>All that <see cref="Ec2Cloud"/> and the daily look at what is there ever call.</summary>
    public static IEnumerable<string> Actions => [.. Describing, .. Switching, .. Resizing];

    /// <summary>Only where the VM has a fixed address: address and instance bear the site's tag.</summary>
    public static readonly ImmutableArray<string> Addressing = ["AssociateAddress"];

    /// <summary>As IAM takes it: one JSON document.</summary>
    /// <param name="fixedAddress">An elastic IP is to lead to the VM.</param>
    public static string Render(string site, string region, ImmutableArray<string> sizes, bool fixedAddress = false)
    {
        var instances = $"arn:{(region.StartsWith("cn-", StringComparison.Ordinal) ? "aws-cn" : "aws")}:ec2:{region}:*:instance/*";
        var own = ($"aws:ResourceTag/{Ec2Cloud.SiteTag}", ImmutableArray.Create(site));
        using var stream = new MemoryStream();
        using (var json = new Utf8JsonWriter(stream, new JsonWriterOptions { Indented = true, NewLine = "\n", Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
        {
            json.WriteStartObject();
            json.WriteString("Version", "2012-10-17");
            json.WriteStartArray("Statement");
            Allow(json, "See", fixedAddress ? Describing.Add("DescribeAddresses") : Describing, "*");
            Allow(json, "Switch", Switching, instances, own);
            Allow(json, "Resize", Resizing, instances, own, ("ec2:Attribute/InstanceType", sizes));
            if (fixedAddress)
            {
                Allow(json, "Lead", Addressing, "*", own);
            }

            json.WriteEndArray();
            json.WriteEndObject();
        }

        return Encoding.UTF8.GetString(stream.ToArray()) + "\n";
    }

    private static void Allow(Utf8JsonWriter json, string name, ImmutableArray<string> actions, string resource, params (string Key, ImmutableArray<string> Values)[] conditions)
    {
        json.WriteStartObject();
        json.WriteString("Sid", name);
        json.WriteString("Effect", "Allow");
        List(json, "Action", actions.Select(a => "ec2:" + a));
        json.WriteString("Resource", resource);
        if (conditions.Length > 0)
        {
            json.WriteStartObject("Condition");
            json.WriteStartObject("StringEquals");
            foreach (var (key, values) in conditions)
            {
                List(json, key, values);
            }

            json.WriteEndObject();
            json.WriteEndObject();
        }

        json.WriteEndObject();
    }

    private static void List(Utf8JsonWriter json, string name, IEnumerable<string> values)
    {
        json.WriteStartArray(name);
        foreach (var value in values)
        {
            json.WriteStringValue(value);
        }

        json.WriteEndArray();
    }
}
