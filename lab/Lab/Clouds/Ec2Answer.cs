using System.Collections.Immutable;
using System.Globalization;
using System.Net.Sockets;
using System.Xml.Linq;

namespace Lab.Clouds;

/// <summary>The XML of the EC2 Query API.</summary>
internal static class Ec2Answer
{
    private static readonly XNamespace Ec2 = "http://ec2.amazonaws.com/doc/2016-11-15/";
    private static readonly XNamespace Sts = "https://sts.amazonaws.com/doc/2011-06-15/";

    private static readonly ImmutableSortedDictionary<string, int> Codes = new Dictionary<string, int>
    {
        ["pending"] = 0,
        ["running"] = 16,
        ["shutting-down"] = 32,
        ["terminated"] = 48,
        ["stopping"] = 64,
        ["stopped"] = 80,
    }.ToImmutableSortedDictionary();

    public static XElement Of(string action, params object?[] content) => E(action + "Response", [E("requestId", RequestId()), .. content]);

    public static XElement E(string name, params object?[] content) => new(Ec2 + name, content);

    /// <summary>A list: one item each.</summary>
    public static XElement Set(string name, IEnumerable<object?[]> items) => E(name, [.. items.Select(i => E("item", i))]);

    public static XElement Tags(IEnumerable<KeyValuePair<string, string>> tags) => Set("tagSet", tags.Select(t => (object?[])[E("key", t.Key), E("value", t.Value)]));

    /// <summary>Errors have no namespace.</summary>
    public static XElement Error(string code, string message) => new(
        "Response", new XElement("Errors", new XElement("Error", new XElement("Code", code), new XElement("Message", message))), new XElement("RequestID", RequestId()));

    public static XElement State(string name, string state) => E(name, E("code", Codes[state]), E("name", state));

    public static XElement Change(string action, string id, string before, string now) =>
        Of(action, Set("instancesSet", [[E("instanceId", id), State("currentState", now), State("previousState", before)]]));

    public static object?[] Instance(Ec2Machine m)
    {
        var v4 = m.Addresses.FirstOrDefault(a => a.AddressFamily == AddressFamily.InterNetwork);
        var v6 = m.Addresses.Where(a => a.AddressFamily == AddressFamily.InterNetworkV6).ToList();
        return
        [
            E("instanceId", m.Id), E("imageId", m.Image), State("instanceState", m.State), E("instanceType", m.Type),
            E("launchTime", m.LaunchTime.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture)),
            E("placement", E("availabilityZone", "eu-central-1a"), E("tenancy", "default")),
            m.KeyName is null ? null : E("keyName", m.KeyName),
            v4 is null ? null : E("ipAddress", v4),
            m.StateReason is null ? null : E("stateReason", E("code", m.StateReason), E("message", $"{m.StateReason}: told by the lab")),
            Set("groupSet", m.GroupIds.Select(g => (object?[])[E("groupId", g), E("groupName", g)])),
            Tags(m.Tags),
            m.IsGone ? null : Set("networkInterfaceSet",
            [
                [
                    E("networkInterfaceId", "eni-" + m.Id[2..]),
                    v4 is null ? null : E("association", E("publicIp", v4)),
                    Set("privateIpAddressesSet", [[E("privateIpAddress", "10.0.0.10"), v4 is null ? null : E("association", E("publicIp", v4))]]),
                    Set("ipv6AddressesSet", v6.Select(a => (object?[])[E("ipv6Address", a)])),
                ],
            ]),
        ];
    }

    /// <summary>The token service's answer.</summary>
    public static XElement Session(string keyId, string secret, string token, DateTimeOffset until) => new(
        Sts + "AssumeRoleResponse",
        new XElement(Sts + "AssumeRoleResult", new XElement(
            Sts + "Credentials",
            new XElement(Sts + "AccessKeyId", keyId), new XElement(Sts + "SecretAccessKey", secret), new XElement(Sts + "SessionToken", token),
            new XElement(Sts + "Expiration", until.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture)))),
        new XElement(Sts + "ResponseMetadata", new XElement(Sts + "RequestId", RequestId())));

    private static string RequestId() => Guid.NewGuid().ToString();
}
