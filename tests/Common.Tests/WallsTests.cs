using System.Xml.Linq;
using Testing.Walls;

namespace Common.Tests;

/// <summary>Keeps the walls: who may know whom, and that decisions touch nothing.</summary>
public sealed class WallsTests
{
    [Fact]
    public void Tests_are_cleaned_up_after() => Assert.Empty(LeftBehind.In(typeof(WallsTests).Assembly));

    [Theory]
    [InlineData("src/Common/Common.csproj", new string[0])]
    [InlineData("src/Bastion/Bastion.csproj", new[] { "Common" })]
    [InlineData("src/InternalHost/InternalHost.csproj", new[] { "Common" })]
    public void Programs_know_Common_and_nobody_else(string project, string[] known)
    {
        var references = XDocument.Load(Path.Combine(Repository(), project)).Descendants("ProjectReference")
            .Select(r => Path.GetFileNameWithoutExtension(r.Attribute("Include")!.Value.Replace('\\', '/')));

        Assert.Equal(known, references);
    }

    [Fact]
    public void Cores_of_Common_touch_nothing()
    {
        var path = typeof(PureCoreAttribute).Assembly.Location;

        Assert.NotEmpty(PureCores.Marked(path));
        Assert.Equal("", string.Join('\n', PureCores.Breaches(path)));
    }

    [Theory]
    [InlineData(nameof(Planted.ReadsAFile), "System.IO.File.Exists")]
    [InlineData(nameof(Planted.AsksTheClock), "System.DateTimeOffset.get_UtcNow")]
    [InlineData(nameof(Planted.HidesInAClosure), "System.Environment.get_MachineName")]
    [InlineData(nameof(Planted.HidesInAnIterator), "System.Random.get_Shared")]
    [InlineData(nameof(Planted.Awaits), "System.Threading.Tasks.Task")]
    [InlineData(nameof(Planted.HidesInAHelper), "Helper.Look -> System.IO.File.ReadAllText")]
    [InlineData(nameof(Planted.HidesInCommon), "Common.Hosting.StateLock.Take")]
    [InlineData(nameof(Planted.HoldsASocket), "names System.Net.Sockets.Socket")]
    [InlineData(nameof(Planted.KeepsState), "writes the static field")]
    [InlineData(nameof(Planted.CallsAPort), "whoever stands behind this port")]
    [InlineData(nameof(Planted.CallsTheSystem), "the system's library")]
    [InlineData(nameof(Planted.HidesInAStaticInitialiser), "System.Guid.NewGuid")]
    public void Planted_impurity_is_found(string type, string breach)
    {
        var found = PureCores.Breaches(typeof(WallsTests).Assembly.Location, name => name.Split('/').Contains(type));

        Assert.True(found.Any(b => b.Contains(breach, StringComparison.Ordinal)), string.Join('\n', found));
    }

    [Fact]
    public void Planted_purity_is_not_accused()
    {
        Assert.Empty(PureCores.Breaches(typeof(WallsTests).Assembly.Location, name => name.Split('/').Contains(nameof(Planted.IsPure))));
    }

    private static string Repository()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder!.FullName, "Bastion.sln")))
        {
            folder = folder.Parent;
        }

        return folder.FullName;
    }
}
