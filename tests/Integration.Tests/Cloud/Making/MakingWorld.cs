using InternalHost.Cloud.Making;

namespace Integration.Tests.Cloud.Making;

/// <summary>A provider's stand-in, its machines, and runs of the program against them: one site after the other in one account.</summary>
internal abstract class MakingWorld : IAsyncDisposable
{
    protected const string Region = "eu-central-1";

    public static readonly MakingPatience Patience = new() { LookAgainAfter = TimeSpan.FromMilliseconds(2), Longest = TimeSpan.FromMinutes(3), ListLag = TimeSpan.FromMilliseconds(20) };

    private readonly DirectoryInfo _root = Directory.CreateTempSubdirectory("making-");

    /// <summary>What was said by the last run.</summary>
    public List<MakingNews> Said { get; } = [];

    public string FolderOf(string site) => Directory.CreateDirectory(Path.Combine(_root.FullName, site)).FullName;

    public string PinOf(string site) => Path.Combine(FolderOf(site), "bastion_host.pub");

    /// <returns>Whether there was anything to do.</returns>
    public async Task<bool> CreateAsync(string site, Guillotine? guillotine = null) => await RunAsync(site, guillotine, maker => maker.CreateAsync(default));

    public async Task RemoveAsync(string site, Guillotine? guillotine = null) => await RunAsync(site, guillotine, async maker =>
    {
        await maker.RemoveAsync(default);
        return true;
    });

    /// <summary>One of everything, and nothing that is unknown.</summary>
    public abstract void IsComplete(string site);

    /// <summary>Nothing at all.</summary>
    public abstract void IsEmpty(string site);

    public virtual async ValueTask DisposeAsync()
    {
        await Task.CompletedTask;
        _root.Delete(recursive: true);
    }

    /// <param name="own">To be disposed after the run.</param>
    protected abstract (IMakerCloud Cloud, MakingNotes Fresh) Cloud(MakingWish wish, Guillotine guillotine, List<IDisposable> own);

    protected abstract MakingHands Hands(MakingWish wish, Guillotine guillotine);

    protected virtual MakingWish Wish(string site) => new(site, Region, Sizes, [49_022, 443], FakeMachines.Key(7));

    protected abstract System.Collections.Immutable.ImmutableArray<string> Sizes { get; }

    private async Task<bool> RunAsync(string site, Guillotine? given, Func<Maker, Task<bool>> run)
    {
        var guillotine = given ?? new Guillotine(Blow.None, 0);
        var own = new List<IDisposable>();
        try
        {
            var wish = Wish(site);
            var (cloud, fresh) = Cloud(wish, guillotine, own);
            var journal = MakingJournal.Open(FolderOf(site), fresh, (path, text) => guillotine.Pass(() => MakingJournal.Put(path, text)));
            Said.Clear();
            return await run(new Maker(cloud, journal, Hands(wish, guillotine), Patience, TimeProvider.System, Said.Add));
        }
        finally
        {
            own.ForEach(o => o.Dispose());
        }
    }
}
