using InternalHost.Pins;

namespace InternalHost.Tests.Pins;

public sealed class FirstPinTests
{
    private static readonly string Ours = ConsoleTextTests.Key(1);
    private static readonly string Other = ConsoleTextTests.Key(2);

    [Fact]
    public void Key_that_both_name_is_pinned()
    {
        Assert.Equal(new FirstPinJudgement(FirstPinVerdict.Pin, Ours, null), FirstPin.Judge(Console(Other, Ours), Ours + " root@vm"));
        Assert.Equal(new FirstPinJudgement(FirstPinVerdict.Pin, Ours, null), FirstPin.Judge(new ConsoleKeys([], [HostKey.Fingerprint(Ours)], ConsoleProblem.None), Ours));
    }

    [Fact]
    public void Another_key_is_told_with_both_fingerprints_and_never_pinned()
    {
        var judged = FirstPin.Judge(Console(Ours), Other);

        Assert.Equal((FirstPinVerdict.Mismatch, null), (judged.Verdict, judged.Key));
        Assert.Contains(HostKey.Fingerprint(Ours), judged.Why, StringComparison.Ordinal);
        Assert.Contains(HostKey.Fingerprint(Other), judged.Why, StringComparison.Ordinal);
    }

    [Fact]
    public void Another_key_while_a_later_block_is_being_written_is_waited_for() =>
        Assert.Equal(FirstPinVerdict.Wait, FirstPin.Judge(Console(Ours) with { LaterCut = true }, Other).Verdict);

    [Theory]
    [InlineData((int)ConsoleProblem.Silent)]
    [InlineData((int)ConsoleProblem.NoBlock)]
    [InlineData((int)ConsoleProblem.CutOff)]
    [InlineData((int)ConsoleProblem.Garbled)]
    public void Nothing_is_pinned_by_sight_alone(int problem)
    {
        var judged = FirstPin.Judge(new ConsoleKeys([], [], (ConsoleProblem)problem), Ours);

        Assert.Equal((FirstPinVerdict.Wait, null), (judged.Verdict, judged.Key));
        Assert.NotNull(judged.Why);
    }

    private static ConsoleKeys Console(params string[] keys) => new([.. keys], [.. keys.Select(HostKey.Fingerprint)], ConsoleProblem.None);
}
