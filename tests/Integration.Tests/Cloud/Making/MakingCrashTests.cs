namespace Integration.Tests.Cloud.Making;

/// <summary>Killed before and after each call, each note and each file, and with each answer lost: never two of anything, nothing unknown, always resumed.</summary>
public sealed class MakingCrashTests
{
    /// <summary>Of all moments of a life; below them the test itself would be broken.</summary>
    private const int FewestMoments = 10;

    [Theory]
    [InlineData("ec2", Blow.Before)]
    [InlineData("ec2", Blow.LoseReply)]
    [InlineData("digitalocean", Blow.Before)]
    [InlineData("digitalocean", Blow.LoseReply)]
    public async Task Create_and_remove_struck_at_every_moment_are_resumed(string provider, Blow blow)
    {
        await using var world = await StartAsync(provider);
        var (createMoments, removeMoments) = (0, 0);
        for (var n = 1; createMoments == 0 || removeMoments == 0; n++)
        {
            var site = $"s{n}";
            if (!await StruckAsync(n, blow, guillotine => world.CreateAsync(site, guillotine)))
            {
                createMoments = createMoments == 0 ? n - 1 : createMoments;
            }

            await AtMomentAsync($"create resumed after {blow} {n}", () => world.CreateAsync(site));
            AtMoment($"create after {blow} {n}", () => world.IsComplete(site));
            Assert.False(await world.CreateAsync(site), $"a finished one was not left alone after {blow} {n}");
            if (removeMoments == 0 && !await StruckAsync(n, blow, guillotine => world.RemoveAsync(site, guillotine)))
            {
                removeMoments = n - 1;
            }

            await AtMomentAsync($"remove resumed after {blow} {n}", () => world.RemoveAsync(site));
            AtMoment($"remove after {blow} {n}", () => world.IsEmpty(site));
        }

        Assert.InRange(createMoments, FewestMoments, 500);
        Assert.InRange(removeMoments, FewestMoments, 500);
    }

    private static async Task<MakingWorld> StartAsync(string provider) => provider == "ec2" ? await Ec2MakingWorld.StartAsync() : await DropletMakingWorld.StartAsync();

    /// <returns>False: it came to its end before that moment.</returns>
    private static async Task<bool> StruckAsync(int at, Blow blow, Func<Guillotine, Task> run)
    {
        var guillotine = new Guillotine(blow, at);
        try
        {
            await run(guillotine);
            Assert.True(blow == Blow.LoseReply || !guillotine.Fell, $"it went on after its death at {at}");
        }
        catch (Exception) when (guillotine.Fell)
        {
        }

        return guillotine.Fell;
    }

    private static async Task AtMomentAsync(string when, Func<Task> act)
    {
        try
        {
            await act();
        }
        catch (Exception e)
        {
            Assert.Fail($"{when}: {e}");
        }
    }

    private static void AtMoment(string when, Action check)
    {
        try
        {
            check();
        }
        catch (Exception e)
        {
            Assert.Fail($"{when}: {e.Message}");
        }
    }
}
