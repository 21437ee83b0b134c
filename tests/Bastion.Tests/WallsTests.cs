using Testing.Walls;

namespace Bastion.Tests;

public sealed class WallsTests
{
    [Fact]
    public void Cores_touch_nothing()
    {
        var path = Path.Combine(AppContext.BaseDirectory, "bastion.dll");

        Assert.NotEmpty(PureCores.Marked(path));
        Assert.Equal("", string.Join('\n', PureCores.Breaches(path)));
    }
}
