using System.Collections.Immutable;
using InternalHost.Cloud.Ec2;

namespace InternalHost.Tests.Cloud.Ec2;

public sealed class Ec2ChoiceTests
{
    [Theory]
    [InlineData("i-1", "i-1 stopped 10")]
    [InlineData("i-2", "i-1 stopped 10", "i-2 running 5")]
    [InlineData("i-2", "i-1 pending 10", "i-2 running 20")]
    [InlineData("i-1", "i-1 running 10", "i-2 running 20")]      // a second one takes nothing over
    [InlineData("i-2", "i-1 stopped 10", "i-2 stopped 20")]      // the one used last
    [InlineData("i-2", "i-1 stopped 30", "i-2 stopping 20")]     // nothing is started beside what is still there
    [InlineData("i-1", "i-2 stopped 10", "i-1 stopped 10")]      // a tie is decided the same way each time
    [InlineData(null, "i-1 terminated 10", "i-2 shutting-down 20")]
    [InlineData(null)]
    public void One_of_several_is_the_sites(string? chosen, params string[] found)
    {
        var (one, others) = Ec2Choice.Of(found.Select(Instance));

        Assert.Equal(chosen, one?.InstanceId);
        Assert.Equal(found.Where(f => !f.Contains("terminated") && !f.Contains("shutting-down")).Select(f => f.Split(' ')[0]).Where(id => id != chosen).Order(), others.Select(o => o.InstanceId).Order());
    }

    private static Ec2Instance Instance(string text) => text.Split(' ') is [var id, var state, var minute]
        ? new(id, state, "t3.nano", new DateTimeOffset(2026, 1, 1, 0, int.Parse(minute, null), 0, TimeSpan.Zero), null, [], ImmutableSortedDictionary<string, string>.Empty)
        : throw new FormatException(text);
}
