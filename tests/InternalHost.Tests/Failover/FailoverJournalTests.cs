using Common.Journal;
using Common.Time;
using InternalHost.Cloud;
using InternalHost.Failover;
using Testing;

namespace InternalHost.Tests.Failover;

public sealed class FailoverJournalTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("journal");
    private readonly FakeTime _time = new();

    private string FileName => Path.Combine(_folder.FullName, "state.db");

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    public void Journal_gives_back_the_last_transition()
    {
        var story = new Story().Serving().Do(at => new FailoverEvent.OperatorOpened(at, TimeSpan.FromHours(2)));
        using (var database = Open())
        {
            Append(new FailoverJournal(database, "boot-1", _time), story);
        }

        using var again = Open();
        var loaded = new FailoverJournal(again, "boot-1", _time).Load()!;

        Assert.False(loaded.DiffersDurably(story.State));
        Assert.Equal(Story.A, loaded.Outage!.Addresses.Items.Single());
        Assert.Equal(0600, Convert.ToInt32(Convert.ToString((int)File.GetUnixFileMode(FileName), 8), 10));
    }

    [Fact]
    public void Every_phase_survives_the_journal()
    {
        Story[] stories = [new Story(), new Story().Cut(), new Story().Cut().Accepted().Instance(InstanceState.Running, Story.A), new Story().Serving(), new Story().Stopping(),
            new Story().Serving().Primary(InternalHost.Wan.Detection.Usable.Yes).Sessions(0)];
        using var database = Open();
        var journal = new FailoverJournal(database, "boot-1", _time);

        foreach (var story in stories)
        {
            Append(journal, story);
            Assert.Equal(story.State.Phase, journal.Load()!.Phase);
        }
    }

    [Fact]
    public void Order_of_an_earlier_boot_keeps_what_was_left_of_it()
    {
        var story = new Story().Do(at => new FailoverEvent.OperatorOpened(at, TimeSpan.FromHours(2)));
        using var database = Open();
        Append(new FailoverJournal(database, "boot-1", _time), story);

        _time.Advance(TimeSpan.FromMinutes(30));
        var loaded = new FailoverJournal(database, "boot-2", _time).Load()!;

        Assert.Equal(TimeSpan.FromMinutes(90), loaded.Orders.OpenUntil!.Value - Instant.Now(_time));
    }

    [Fact]
    public void Order_of_an_earlier_boot_is_never_prolonged_by_a_wall_clock_gone_back()
    {
        var story = new Story().Do(at => new FailoverEvent.OperatorOpened(at, TimeSpan.FromHours(2)));
        using var database = Open();
        Append(new FailoverJournal(database, "boot-1", _time), story);

        _time.StepWallClock(TimeSpan.FromDays(-20_000));
        var loaded = new FailoverJournal(database, "boot-2", _time).Load()!;

        Assert.Equal(TimeSpan.FromHours(2), loaded.Orders.OpenUntil!.Value - Instant.Now(_time));
    }

    [Fact]
    public void Transition_and_alert_are_one()
    {
        using var database = Open();
        var journal = new FailoverJournal(database, "boot-1", _time);

        Assert.Throws<InvalidOperationException>(() => journal.Append(
            new FailoverEvent.Tick(default), new FailoverStep(new Story().Cut().State, []), _ => throw new InvalidOperationException()));

        Assert.Null(journal.Load());
    }

    [Fact]
    public void Unwritable_journal_is_a_problem_and_not_an_end()
    {
        using var database = Open();
        database.Read(c => c.Sql("PRAGMA query_only=ON").Run());
        var journal = new FailoverJournal(database, "boot-1", _time);

        var written = journal.Append(new FailoverEvent.Tick(default), new FailoverStep(FailoverState.Initial, []), _ => { });

        Assert.False(written);
        Assert.Contains("cannot be written", journal.Problem, StringComparison.Ordinal);

        database.Read(c => c.Sql("PRAGMA query_only=OFF").Run());
        Assert.True(journal.Append(new FailoverEvent.Tick(default), new FailoverStep(FailoverState.Initial, []), _ => { }));
        Assert.Null(journal.Problem);
    }

    [Fact]
    public void Unreadable_row_is_said_so()
    {
        using var database = Open();
        var journal = new FailoverJournal(database, "boot-1", _time);
        Append(journal, new Story().Cut());
        database.Write(t => t.Sql("UPDATE failover SET state = '{\"phase\": {'").Run());

        Assert.Throws<InvalidDataException>(journal.Load);
    }

    private Database Open() => Database.Open(FileName, FailoverJournal.Migration);

    private static void Append(FailoverJournal journal, Story story) =>
        Assert.True(journal.Append(new FailoverEvent.Tick(story.At), new FailoverStep(story.State, []), _ => { }));
}
