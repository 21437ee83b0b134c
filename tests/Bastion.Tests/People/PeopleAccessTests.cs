using Bastion.People;
using Common.Sync;

namespace Bastion.Tests.People;

public sealed class PeopleAccessTests
{
    private const string Phone = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ0Wq5wkuyWcQeHdGAsk8TIXfmTpTQqJcDNfXv3Jm1sR";
    private const string Laptop = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ0Wq5wkuyWcQeHdGAsk8TIXfmTpTQqJcDNfXv3Jm1sS";

    private static readonly Bundle Home = Of("home", ("alice", [22001, 22002], [Phone + " comment"]), ("bob", [], [Laptop]));
    private static readonly Bundle Work = Of("work", ("alice", [22101], [Phone, Laptop]));

    [Fact]
    public void Key_reaches_what_its_sites_have_given_to_it_and_no_more()
    {
        var access = PeopleAccess.Of([Home, Work]);

        Assert.Equal(["alice", "bob"], access.Names);
        Assert.Equal(
            $"""
            restrict,port-forwarding,permitopen="127.0.0.1:22001",permitopen="127.0.0.1:22002",permitopen="127.0.0.1:22101" {Phone}
            restrict,port-forwarding,permitopen="127.0.0.1:22101" {Laptop}

            """,
            access.KeyFile("alice"));
    }

    /// <summary>sshd takes a key without permitopen to be allowed anything.</summary>
    [Fact]
    public void Key_without_ports_forwards_nothing() => Assert.Equal($"restrict {Laptop}\n", PeopleAccess.Of([Home]).KeyFile("bob"));

    [Fact]
    public void Who_loses_a_key_or_a_port_is_known_and_who_gains_is_not_ended()
    {
        var before = PeopleAccess.Of([Home, Work]);

        Assert.Empty(before.Narrowed(before));
        Assert.Empty(before.Narrowed(PeopleAccess.Of([Home])));
        Assert.Equal(["alice"], PeopleAccess.Of([Home]).Narrowed(before));
        Assert.Equal(["alice", "bob"], PeopleAccess.Of([]).Narrowed(before));
        Assert.Equal(["alice"], PeopleAccess.Of([Of("home", ("alice", [22002], [Phone]), ("bob", [], [Laptop])), Work]).Narrowed(before));
    }

    [Fact]
    public void Signers_name_every_site_of_a_key() => Assert.Equal(
        $"site-home,site-work namespaces=\"bundle@bastion\" {Phone}\nsite-work namespaces=\"bundle@bastion\" {Laptop}\n",
        BundleSigners.Write([("home", Phone), ("work", Phone), ("work", Laptop)]));

    [Fact]
    public void Keys_of_a_file_are_found_behind_their_options() =>
        Assert.Equal([Phone, Laptop], BundleSigners.KeysIn($"# ours\n\nrestrict,from=\"10.0.0.1, 10.0.0.2\" {Phone} home\n{Laptop}\nssh-dss AAAA\nnothing").ToArray());

    private static Bundle Of(string site, params (string Name, int[] Ports, string[] Keys)[] people) => new(1, site, 1)
    {
        People = [.. people.Select(p => new BundlePerson(p.Name, p.Ports, [.. p.Keys.Select((k, n) => new BundleDevice($"d{n}", k))]))],
    };
}
