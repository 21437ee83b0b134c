using System.Collections.Immutable;
using System.Text;
using System.Text.RegularExpressions;
using System.Xml.Linq;
using static Lab.Clouds.Ec2Answer;
using static Lab.Clouds.Ec2Parameters;

namespace Lab.Clouds;

/// <summary>The actions that the stand-in knows, from parameters to XML.</summary>
internal sealed partial class Ec2Actions(Ec2Account account, Ec2Things things, IamUsers users, Func<Ec2Behaviour> behaviour)
{
    private const string ByCall = "Client.UserInitiatedShutdown";

    /// <summary>These change nothing, so a dry run of them is not asked for in this lab.</summary>
    public static bool Changes(string action) => !action.StartsWith("Describe", StringComparison.Ordinal) && !action.StartsWith("Get", StringComparison.Ordinal);

    public XElement Do(string action, ImmutableSortedDictionary<string, string> p) => action switch
    {
        "DescribeInstances" => Describe(p),
        "DescribeInstanceStatus" => Status(p),
        "RunInstances" => Run(p),
        "StartInstances" => Changed(action, Id(p, "InstanceId.1"), account.Start),
        "StopInstances" => Changed(action, Id(p, "InstanceId.1"), id => account.Stop(id, ByCall)),
        "TerminateInstances" => Changed(action, Id(p, "InstanceId.1"), account.Terminate),
        "ModifyInstanceAttribute" => Modify(p),
        "GetConsoleOutput" => Console(Id(p, "InstanceId")),
        "CreateTags" => CreateTags(p),
        _ => things.Do(action, p) ?? users.Do(action, p) ?? throw new Ec2Refusal("InvalidAction", $"The action {action} is not valid for this web service."),
    };

    private XElement Describe(ImmutableSortedDictionary<string, string> p)
    {
        var all = Wanted(p).Where(Filters(p)).ToList();
        var from = p.TryGetValue("NextToken", out var token) ? int.Parse(token, null) : 0;
        var page = all.Skip(from).Take(behaviour().PageSize).ToList();
        return Of(
            "DescribeInstances",
            Set("reservationSet", page.Select(m => (object?[])[E("reservationId", "r-" + m.Id[2..]), E("ownerId", "123456789012"), Set("instancesSet", [Instance(m)])])),
            from + page.Count < all.Count ? E("nextToken", from + page.Count) : null);
    }

    private XElement Status(ImmutableSortedDictionary<string, string> p) => Of(
        "DescribeInstanceStatus",
        Set("instanceStatusSet", Wanted(p).Where(m => m.State == "running" || p.GetValueOrDefault("IncludeAllInstances") == "true").Select(m => (object?[])
        [
            E("instanceId", m.Id), State("instanceState", m.State),
            E("systemStatus", E("status", m.State == "running" ? "ok" : "not-applicable")), E("instanceStatus", E("status", m.State == "running" ? "ok" : "not-applicable")),
        ])));

    private XElement Run(ImmutableSortedDictionary<string, string> p)
    {
        var image = Need(p, "ImageId");
        var tags = Ec2Parameters.Tags(p, "instance");
        var made = account.Run(
            id => new Ec2Machine(id, "pending", p.GetValueOrDefault("InstanceType", "t3.nano"), image, default, tags)
            {
                ClientToken = p.GetValueOrDefault("ClientToken"),
                KeyName = p.GetValueOrDefault("KeyName"),
                UserData = p.TryGetValue("UserData", out var data) ? Encoding.UTF8.GetString(Convert.FromBase64String(data)) : null,
                GroupIds = [.. List(p, "SecurityGroupId")],
                MadeWith = p,
            },
            p.GetValueOrDefault("ClientToken"));
        return Of("RunInstances", E("reservationId", "r-" + made.Id[2..]), E("ownerId", "123456789012"), Set("instancesSet", [Instance(made)]));
    }

    private XElement Modify(ImmutableSortedDictionary<string, string> p)
    {
        account.Modify(Id(p, "InstanceId"), Need(p, "InstanceType.Value"));
        return Of("ModifyInstanceAttribute", E("return", "true"));
    }

    private XElement Console(string id)
    {
        var machine = account.Described.FirstOrDefault(m => m.Id == id) ?? throw NotFound(id);
        var text = behaviour().ConsoleOf(machine);
        return Of("GetConsoleOutput", E("instanceId", id), E("timestamp", "2026-11-21T20:00:00.000Z"), E("output", text is null ? "" : Convert.ToBase64String(Encoding.UTF8.GetBytes(text))));
    }

    private XElement CreateTags(ImmutableSortedDictionary<string, string> p)
    {
        var tags = Numbered(p, "Tag").Select(t => KeyValuePair.Create(t["Key"], t.GetValueOrDefault("Value", ""))).ToList();
        foreach (var id in List(p, "ResourceId"))
        {
            account.Tag(id, tags);
        }

        return Of("CreateTags", E("return", "true"));
    }

    private static XElement Changed(string action, string id, Func<string, (string Before, Ec2Machine Now)> change)
    {
        var (before, now) = change(id);
        return Change(action, id, before, now.State);
    }

    private IEnumerable<Ec2Machine> Wanted(ImmutableSortedDictionary<string, string> p)
    {
        var all = account.Described;
        var ids = List(p, "InstanceId").ToList();
        ids.ForEach(id => CheckId(id));
        return ids.Count == 0 ? all : ids.Select(id => all.FirstOrDefault(m => m.Id == id) ?? throw NotFound(id));
    }

    private static Func<Ec2Machine, bool> Filters(ImmutableSortedDictionary<string, string> p)
    {
        var filters = Numbered(p, "Filter").Select(f => (Name: f["Name"], Values: List(f, "Value").ToList())).ToList();
        return m => filters.TrueForAll(f => f.Name switch
        {
            "instance-state-name" => f.Values.Contains(m.State),
            "instance-id" => f.Values.Contains(m.Id),
            ['t', 'a', 'g', ':', .. var key] => m.Tags.TryGetValue(key, out var value) && f.Values.Contains(value),
            _ => throw new Ec2Refusal("InvalidParameterValue", $"The filter '{f.Name}' is invalid"),
        });
    }

    private static string Id(ImmutableSortedDictionary<string, string> p, string name) => CheckId(Need(p, name));

    private static string CheckId(string id) =>
        WellFormed().IsMatch(id) ? id : throw new Ec2Refusal("InvalidInstanceID.Malformed", $"Invalid id: \"{id}\"");

    private static Ec2Refusal NotFound(string id) => new("InvalidInstanceID.NotFound", $"The instance ID '{id}' does not exist");

    [GeneratedRegex("^i-([0-9a-f]{8}|[0-9a-f]{17})$")]
    private static partial Regex WellFormed();
}
