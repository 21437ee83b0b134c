using System.Net;
using System.Xml.Linq;
using InternalHost.Cloud;
using InternalHost.Cloud.Ec2;
using InternalHost.Naming;

namespace InternalHost.Tests.Naming;

public sealed class Route53NamesTests
{
    private const string Name = "home.example.net";
    private static readonly IPAddress V4 = IPAddress.Parse("203.0.113.7");
    private static readonly IPAddress V6 = IPAddress.Parse("2001:db8::7");

    private readonly Scripted _transport = new();

    private Route53Names Names => new(_transport, "Z1");

    [Fact]
    public async Task Both_families_change_in_one_call()
    {
        _transport.Answer("<ChangeResourceRecordSetsResponse/>");

        await Names.PutAsync(Name, new NameAddresses(V4, V6), default);

        var call = Assert.Single(_transport.Calls);
        Assert.Equal(("POST", "/2013-04-01/hostedzone/Z1/rrset"), (call.Rest!.Method, call.Rest.Path));
        Assert.Equal(
            "<ChangeResourceRecordSetsRequest xmlns=\"https://route53.amazonaws.com/doc/2013-04-01/\"><ChangeBatch><Changes>"
            + Upsert("A", "203.0.113.7") + Upsert("AAAA", "2001:db8::7") + "</Changes></ChangeBatch></ChangeResourceRecordSetsRequest>",
            call.Rest.Body);
    }

    [Fact]
    public async Task Record_of_a_family_that_the_VM_has_not_got_is_deleted_as_it_stands()
    {
        _transport.Answer($"""
            <ListResourceRecordSetsResponse xmlns="https://route53.amazonaws.com/doc/2013-04-01/"><ResourceRecordSets>
            <ResourceRecordSet><Name>{Name}.</Name><Type>AAAA</Type><TTL>300</TTL><ResourceRecords><ResourceRecord><Value>2001:db8::9</Value></ResourceRecord></ResourceRecords></ResourceRecordSet>
            </ResourceRecordSets></ListResourceRecordSetsResponse>
            """).Answer("<ChangeResourceRecordSetsResponse/>");

        await Names.PutAsync(Name, new NameAddresses(V4, null), default);

        Assert.Equal(("GET", Name, "AAAA"), (_transport.Calls[0].Rest!.Method, _transport.Calls[0].Parameters["name"], _transport.Calls[0].Parameters["type"]));
        Assert.Contains("<Action>DELETE</Action><ResourceRecordSet><Name>home.example.net.</Name><Type>AAAA</Type><TTL>300</TTL>", _transport.Calls[1].Rest!.Body!.Replace("\n", "", StringComparison.Ordinal), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("other.example.net.", "AAAA")]
    [InlineData("home.example.net.", "TXT")]
    public async Task What_the_list_goes_on_with_is_left_alone(string name, string type)
    {
        _transport.Answer($"<ListResourceRecordSetsResponse><ResourceRecordSets><ResourceRecordSet><Name>{name}</Name><Type>{type}</Type></ResourceRecordSet></ResourceRecordSets></ListResourceRecordSetsResponse>")
            .Answer("<ChangeResourceRecordSetsResponse/>");

        await Names.PutAsync(Name, new NameAddresses(V4, null), default);

        Assert.DoesNotContain("DELETE", _transport.Calls[1].Rest!.Body, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("NoSuchHostedZone", CloudFailure.NotFound, "look at bastion.dns.zone")]
    [InlineData("InvalidChangeBatch", CloudFailure.Unknown, "is home.example.net in that zone")]
    [InlineData("AccessDenied", CloudFailure.Denied, "our AWS key may not do this")]
    [InlineData("Throttling", CloudFailure.Transient, "slow down")]
    public async Task Each_refusal_has_its_words(string code, CloudFailure failure, string words)
    {
        _transport.Fail(new Ec2Exception(CallFault.Refused, code, "no", 400));

        var e = await Assert.ThrowsAsync<CloudException>(() => Names.PutAsync(Name, new NameAddresses(V4, V6), default));

        Assert.Equal(failure, e.Failure);
        Assert.StartsWith("set home.example.net", e.Message, StringComparison.Ordinal);
        Assert.Contains(words, e.Message, StringComparison.Ordinal);
    }

    private static string Upsert(string type, string value) =>
        $"<Change><Action>UPSERT</Action><ResourceRecordSet><Name>{Name}</Name><Type>{type}</Type><TTL>60</TTL><ResourceRecords><ResourceRecord><Value>{value}</Value></ResourceRecord></ResourceRecords></ResourceRecordSet></Change>";

    private sealed class Scripted : IEc2Transport
    {
        private readonly Queue<Func<XElement>> _answers = new();

        public List<Ec2Call> Calls { get; } = [];

        public Scripted Answer(string xml)
        {
            _answers.Enqueue(() => XElement.Parse(xml));
            return this;
        }

        public void Fail(Ec2Exception e) => _answers.Enqueue(() => throw e);

        public Task<XElement> SendAsync(Ec2Call call, CancellationToken ct)
        {
            Calls.Add(call);
            try
            {
                return Task.FromResult(_answers.Dequeue()());
            }
            catch (Ec2Exception e)
            {
                return Task.FromException<XElement>(e);
            }
        }
    }
}
