using Testing.Walls;

namespace Integration.Tests;

public sealed class WallsTests
{
    [Fact]
    public void Tests_are_cleaned_up_after() => Assert.Empty(LeftBehind.In(typeof(WallsTests).Assembly));
}
