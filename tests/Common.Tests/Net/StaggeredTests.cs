using Common.Net;
using Testing;

namespace Common.Tests.Net;

public sealed class StaggeredTests
{
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);

    private readonly FakeTime _time = new();
    private readonly TaskCompletionSource<string>[] _ends = [New(), New(), New()];
    private readonly List<int> _begun = [];
    private readonly List<string> _discarded = [];

    private static TaskCompletionSource<string> New() => new();

    private Task<(int Index, string Value)> Run(CancellationToken ct = default) => Staggered.FirstAsync(
        _ends.Select<TaskCompletionSource<string>, Func<CancellationToken, Task<string>>>((end, i) => token =>
        {
            _begun.Add(i);
            token.Register(() => end.TrySetCanceled(token));
            return end.Task;
        }).ToList(),
        Second, _time, _discarded.Add, ct);

    [Fact]
    public async Task First_alone_is_asked_when_it_answers()
    {
        var run = Run();

        _ends[0].SetResult("a");

        Assert.Equal((0, "a"), await run);
        Assert.Equal([0], _begun);
    }

    [Fact]
    public async Task Next_begins_after_the_interval_and_the_first_may_still_win()
    {
        var run = Run();
        _time.Advance(Second);
        Assert.Equal([0, 1], _begun);

        _ends[0].SetResult("late");

        Assert.Equal((0, "late"), await run);
    }

    [Fact]
    public async Task Next_begins_at_once_after_a_failure()
    {
        var run = Run();

        _ends[0].SetException(new IOException("no"));
        _ends[1].SetResult("b");

        Assert.Equal((1, "b"), await run);
    }

    [Fact]
    public async Task All_failures_are_told()
    {
        var run = Run();

        for (var i = 0; i < 3; i++)
        {
            _ends[i].SetException(new IOException($"no {i}"));
        }

        var e = await Assert.ThrowsAsync<AggregateException>(() => run);
        Assert.Equal(["no 0", "no 1", "no 2"], e.InnerExceptions.Select(i => i.Message));
    }

    [Fact]
    public async Task Loser_that_brings_something_is_let_go()
    {
        TaskCompletionSource<string> stubborn = New();
        var run = Staggered.FirstAsync([_ => stubborn.Task, _ => Task.FromResult("winner")], Second, _time, _discarded.Add, default);
        _time.Advance(Second);

        stubborn.SetResult("loser");

        Assert.Equal("winner", (await run).Value);
        Assert.Equal(["loser"], _discarded);
    }

    [Fact]
    public async Task Cancelling_ends_all()
    {
        using var cancel = new CancellationTokenSource();
        var run = Run(cancel.Token);
        _time.Advance(Second);

        await cancel.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => run);
        Assert.True(_ends[0].Task.IsCanceled && _ends[1].Task.IsCanceled);
    }

    [Fact]
    public async Task Nothing_to_try_fails()
    {
        await Assert.ThrowsAsync<AggregateException>(() => Staggered.FirstAsync<string>([], Second, _time, null, default));
    }
}
