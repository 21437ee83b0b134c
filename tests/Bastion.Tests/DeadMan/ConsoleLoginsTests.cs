using Bastion.DeadMan;

namespace Bastion.Tests.DeadMan;

public sealed class ConsoleLoginsTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("console").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData("UID=0\nACTIVE=1\nSTATE=active\nREMOTE=0\nTYPE=tty\nCLASS=user\n", true)]
    [InlineData("STATE=active\nREMOTE=1\nCLASS=user\n", false)]
    [InlineData("STATE=closing\nREMOTE=0\nCLASS=user\n", false)]
    [InlineData("STATE=active\nREMOTE=0\nCLASS=manager\n", false)]
    [InlineData("", false)]
    public void Only_a_person_at_the_machine_itself_counts(string file, bool counts)
    {
        File.WriteAllText(Path.Combine(_folder, "3"), file);

        Assert.Equal(counts, new ConsoleLogins(_folder).Any);
    }

    [Fact]
    public void Machine_without_logind_has_nobody_there() => Assert.False(new ConsoleLogins(Path.Combine(_folder, "none")).Any);
}
