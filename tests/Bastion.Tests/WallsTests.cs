using Testing.Walls;

namespace Bastion.Tests;

public sealed class WallsTests
{
    [Fact]
    public void Tests_are_cleaned_up_after() => Assert.Empty(LeftBehind.In(typeof(WallsTests).Assembly));

    [Fact]
    public void Cores_touch_nothing()
    {
        var path = Path.Combine(AppContext.BaseDirectory, "bastion.dll");

        Assert.NotEmpty(PureCores.Marked(path));
        Assert.Equal("", string.Join('\n', PureCores.Breaches(path)));
    }
}
