using InternalHost.Cloud.Ec2;
using InternalHost.Cloud.Making;

namespace InternalHost.Tests.Cloud.Making;

public sealed class MakingTextsTests
{
    [Fact]
    public void User_data_opens_the_ports_and_nothing_else_and_is_small()
    {
        var text = UserData.Render([49022, 443], null);

        Assert.StartsWith("#cloud-config\n", text, StringComparison.Ordinal);
        Assert.Contains("      Port 49022\n      Port 443\n", text, StringComparison.Ordinal);
        Assert.DoesNotContain("Port 22\n", text, StringComparison.Ordinal);
        Assert.DoesNotContain("ssh_keys", text, StringComparison.Ordinal);
        Assert.InRange(UserData.Render([.. Enumerable.Range(1, 8)], new OneTimeHostKey(new string('x', 4000), "ssh-ed25519 A")).Length, 1, UserData.Longest);
    }

    [Fact]
    public void User_data_carries_a_one_time_host_key_line_by_line()
    {
        var text = UserData.Render([443], new OneTimeHostKey("-----BEGIN\nline\n-----END\n", "ssh-ed25519 AAAA"));

        Assert.Contains("ssh_keys:\n  ed25519_private: |\n    -----BEGIN\n    line\n    -----END\n  ed25519_public: ssh-ed25519 AAAA\n", text, StringComparison.Ordinal);
    }

    [Fact]
    public void What_is_open_beside_the_ports_is_too_much_and_what_is_not_is_missing()
    {
        Ec2IpPermission[] open = [new("tcp", 22, 22, ["0.0.0.0/0"], []), new("tcp", 443, 443, ["0.0.0.0/0"], [])];

        var (tooMuch, missing) = (Ec2Opening.TooMuch(open, [443, 49022]), Ec2Opening.Missing(open, [443, 49022]));

        Assert.Equal(22, Assert.Single(tooMuch).FromPort);
        Assert.Equal(["443 v4:0 v6:1", "49022 v4:1 v6:1"], missing.Select(p => $"{p.FromPort} v4:{p.CidrIps.Length} v6:{p.CidrIpv6s.Length}"));
        Assert.False(Ec2Opening.IsRight(open, [443, 49022]));
        Assert.True(Ec2Opening.IsRight(Ec2Opening.Missing([], [443]), [443]));
    }

    [Theory]
    [InlineData("UnauthorizedOperation", "may not call ec2:RunInstances")]
    [InlineData("AuthFailure", "does not take the credential")]
    [InlineData("VPCIdNotSpecified", "aws ec2 create-default-vpc --region eu-central-1")]
    [InlineData("VcpuLimitExceeded", "limit is reached")]
    [InlineData("IdempotentParameterMismatch", "cloud remove")]
    public void Refusals_of_EC2_say_what_to_do(string code, string words) =>
        Assert.Contains(words, Ec2MakingErrors.ToCloud(new Ec2Exception(InternalHost.Cloud.CallFault.Refused, code, "no", 400), "ec2:RunInstances", "make the machine", "eu-central-1").Message, StringComparison.Ordinal);

    [Fact]
    public void Notes_come_back_as_they_were_and_hold_for_one_place_only()
    {
        var folder = Directory.CreateTempSubdirectory("notes").FullName;
        try
        {
            var fresh = new MakingNotes("ec2", "home", "eu-central-1");
            MakingJournal.Open(folder, fresh).Write(fresh with { MachineId = "i-1", HostKeys = ["ssh-ed25519 A"], Credential = CredentialNote.ByOwner });

            var again = MakingJournal.Open(folder, fresh).Notes;

            Assert.Equal(("i-1", CredentialNote.ByOwner, "ssh-ed25519 A"), (again.MachineId, again.Credential, again.HostKeys[0]));
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(Path.Combine(folder, MakingJournal.FileName)));
            Assert.Contains("cloud remove", Assert.Throws<MakingException>(() => MakingJournal.Open(folder, fresh with { Region = "eu-west-1" })).Message, StringComparison.Ordinal);
            File.WriteAllText(Path.Combine(folder, MakingJournal.FileName), "{");
            Assert.Contains("is broken", Assert.Throws<MakingException>(() => MakingJournal.Open(folder, fresh)).Message, StringComparison.Ordinal);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }
}
