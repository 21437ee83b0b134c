using Testing.Walls;

namespace InternalHost.Tests;

public sealed class WallsTests
{
    [Fact]
    public void Cores_touch_nothing()
    {
        var path = Path.Combine(AppContext.BaseDirectory, "internalhost.dll");

        Assert.NotEmpty(PureCores.Marked(path));
        Assert.Equal("", string.Join('\n', PureCores.Breaches(path)));
    }

    [Fact]
    public void Tests_are_cleaned_up_after() => Assert.Empty(LeftBehind.In(typeof(WallsTests).Assembly));
}
