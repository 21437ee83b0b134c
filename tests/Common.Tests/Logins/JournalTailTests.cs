using Common.Logins;
using Common.Journal;
using Common.Processes;
using Testing;

namespace Common.Tests.Logins;

public sealed class JournalTailTests : IDisposable
{
    private readonly FakeTime _time = new();
    private readonly ScriptedLauncher _launcher = new();
    private readonly Database _database = Database.Open(":memory:", LogPosition.Schema);
    private int _woken;

    public void Dispose() => _database.Dispose();

    [Fact]
    public void First_start_reads_this_boot_and_the_cursor_is_kept()
    {
        var tail = Start();
        _launcher.Last.Say(Json("c1", 1));
        _launcher.Last.Say(Json("c2", 2));

        Assert.Equal([1, 2], Pass(tail));

        Assert.Contains("--boot", _launcher.Last.Spec.Arguments);
        Assert.Equal("c2", JournalCursor.Load(_database)!.Cursor);
        Assert.True(_woken >= 2);
        Assert.Null(tail.Trouble);
    }

    [Fact]
    public void Next_run_goes_on_behind_the_cursor()
    {
        var tail = Start();
        _launcher.Last.Say(Json("c1", 1));
        Pass(tail);

        Start();

        Assert.Contains("--after-cursor=c1", _launcher.Last.Spec.Arguments);
    }

    [Fact]
    public void Batch_that_was_not_kept_is_given_again()
    {
        var tail = Start();
        _launcher.Last.Say(Json("c1", 1));
        tail.Read();

        Assert.Equal([1], Pass(tail));
        Assert.Equal([], Pass(tail));
    }

    [Fact]
    public void Journalctl_that_ends_is_started_again_behind_what_was_read_from_it()
    {
        var tail = Start();
        _launcher.Last.Say(Json("c1", 1));
        _launcher.Last.End(1);
        Pass(tail);
        Assert.NotNull(tail.Trouble);

        _time.Advance(TimeSpan.FromSeconds(2));
        Pass(tail);

        Assert.Equal(2, _launcher.Started.Count);
        Assert.Contains("--after-cursor=c1", _launcher.Last.Spec.Arguments);
        Assert.Null(tail.Trouble);
    }

    [Fact]
    public void Journalctl_that_keeps_ending_is_started_ever_more_slowly()
    {
        var tail = Start();
        for (var second = 0; second < 300; second++)
        {
            if (!_launcher.Last.Exited.IsCompleted)
            {
                _launcher.Last.End(1);
            }

            Pass(tail);
            _time.Advance(TimeSpan.FromSeconds(1));
        }

        Assert.InRange(_launcher.Started.Count, 8, 25);
    }

    [Fact]
    public void Cursor_that_is_no_longer_there_is_a_gap_and_the_boot_is_read()
    {
        var tail = Start();
        _launcher.Last.Say(Json("c1", 1));
        Pass(tail);
        _launcher.Last.Complain("Failed to seek to cursor: Invalid argument");
        _launcher.Last.End(1);

        var gap = tail.Read().Gap ?? Read(tail).Gap;
        _time.Advance(TimeSpan.FromSeconds(2));
        Pass(tail);

        Assert.NotNull(gap);
        Assert.Contains("--boot", _launcher.Last.Spec.Arguments);
    }

    [Fact]
    public void Journal_that_may_not_be_read_is_trouble()
    {
        var tail = Start();

        _launcher.Last.Complain("Hint: You are currently not seeing messages from other users and the system.");

        Assert.Contains("systemd-journal", tail.Trouble, StringComparison.Ordinal);
    }

    [Fact]
    public void Missing_journalctl_is_trouble_and_is_tried_again()
    {
        _launcher.Missing = true;
        var tail = Start();
        Assert.NotNull(tail.Trouble);

        _launcher.Missing = false;
        _time.Advance(TimeSpan.FromSeconds(2));
        Pass(tail);

        Assert.Null(tail.Trouble);
        Assert.Single(_launcher.Started);
    }

    [Fact]
    public void Line_that_cannot_be_read_is_told_as_a_gap()
    {
        var tail = Start();
        _launcher.Last.Say("{\"__CURSOR\":\"c9\",\"MESSAGE\":\"Accepted pub");

        Assert.NotNull(tail.Read().Gap);
    }

    [Fact]
    public void Entries_older_than_our_first_look_are_backlog()
    {
        var tail = Start();
        _launcher.Last.Say(Json("c1", 1, FakeTime.Epoch));
        _launcher.Last.Say(Json("c2", 2, _time.GetUtcNow().AddSeconds(1)));

        Assert.Equal([true, false], tail.Read().Entries.Select(e => e.Backlog));
    }

    private JournalTail Start()
    {
        var tail = new JournalTail(_launcher, JournalCursor.Load(_database), null, _time, () => 0.99);
        tail.Start(() => Interlocked.Increment(ref _woken));
        return tail;
    }

    private LogBatch Read(JournalTail tail)
    {
        tail.Passed(tail.Read());
        return tail.Read();
    }

    private List<int> Pass(JournalTail tail)
    {
        var batch = tail.Read();
        _database.Write(t => tail.Save(t, batch));
        tail.Passed(batch);
        return [.. batch.Entries.Select(e => ((SshdMessage.Accepted)e.Line.Message).From!.Port)];
    }

    private string Json(string cursor, int port, DateTimeOffset? at = null) =>
        $$"""{"__CURSOR":"{{cursor}}","__REALTIME_TIMESTAMP":"{{((at ?? _time.GetUtcNow()) - DateTimeOffset.UnixEpoch).Ticks / 10}}","_UID":"0","SYSLOG_IDENTIFIER":"sshd","MESSAGE":"Accepted password for a from 192.0.2.7 port {{port}} ssh2"}""";

    private sealed class ScriptedLauncher : IProcessLauncher
    {
        public List<ScriptedChild> Started { get; } = [];

        public bool Missing { get; set; }

        public ScriptedChild Last => Started[^1];

        public IChildProcess Start(ProcessSpec spec, Action<ProcessStream, string> onLine)
        {
            if (Missing)
            {
                throw new ProcessStartException("journalctl is not there");
            }

            Started.Add(new ScriptedChild(spec, onLine));
            return Last;
        }
    }

    private sealed class ScriptedChild(ProcessSpec spec, Action<ProcessStream, string> onLine) : IChildProcess
    {
        private readonly TaskCompletionSource<ProcessExit> _exit = new();

        public ProcessSpec Spec => spec;

        public int Pid => 1;

        public Task<ProcessExit> Exited => _exit.Task;

        public void Say(string line) => onLine(ProcessStream.Output, line);

        public void Complain(string line) => onLine(ProcessStream.Error, line);

        public void End(int code) => _exit.TrySetResult(new ProcessExit(code, null, false));

        public Task<ProcessExit> StopAsync(TimeSpan? grace = null)
        {
            End(0);
            return Exited;
        }

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }
}
